/** The modules of the page as the compiler writes them, by file name. The build makes this module. */
export declare const browserModules: Readonly<Record<string, string>>;
