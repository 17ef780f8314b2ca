/** The version of the package that this Service Center comes in; a test compares it with package.json. */
export const version = '0.1.0';
