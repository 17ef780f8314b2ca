import { element, picture, pixels, text } from './svg.js';

/** The terminal's own colours, and those of the codes that `styleText` writes. */
const background = '#1e1e2e';
const foreground = '#d6d9e6';
const colours: Readonly<Record<number, string>> = {
  31: '#ff7a85',
  32: '#8fd694',
  33: '#f2cd60',
  36: '#6fd3e3',
  90: '#8b90a5',
};
/** Stands before a line, and changes nothing: formats go on from one line to the next. */
const nothing = 0;
const bold = 1;
const endOfBold = 22;
const endOfColour = 39;

const characterWidth = 7.8;
const lineHeight = 19;
const margin = 18;
const barHeight = 34;

/** A piece of a line in one format. */
interface Piece {
  readonly column: number;
  readonly text: string;
  readonly colour: string;
  readonly isBold: boolean;
}

/** Draws what a command printed, as a terminal shows it. */
export function terminalPicture(command: string, output: string): string {
  const lines = piecesOf(`$ ${command}\n${output}`);
  const columns = lines.flat().map(({ column, text }) => column + text.length);
  const width = pixels(Math.max(...columns) * characterWidth + 2 * margin);
  const height = barHeight + lines.length * lineHeight + margin;
  const buttons = ['#ff5f57', '#febc2e', '#28c840'].map((fill, index) =>
    element('circle', { cx: margin + 5 + index * 18, cy: 17, r: 5.5, fill }),
  );
  const drawn = lines.flatMap((line, index) => {
    const y = barHeight + (index + 0.75) * lineHeight;
    return line.map(piece => drawPiece(piece, y));
  });
  const frame = {
    width,
    height,
    title: `The output of ${command}`,
    background,
    fontFamily: "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace",
  };
  return picture(frame, [...buttons, ...drawn]);
}

/** Columns stand below each other whatever the font. */
function drawPiece({ column, text: content, colour, isBold }: Piece, y: number): string {
  return text(content, {
    x: pixels(margin + column * characterWidth),
    y: pixels(y),
    'font-size': 13,
    fill: colour,
    'font-weight': isBold ? 'bold' : undefined,
    textLength: pixels(content.length * characterWidth),
    lengthAdjust: 'spacingAndGlyphs',
    'xml:space': 'preserve',
  });
}

/** The format that the codes so far have set. */
interface Format {
  readonly colour: string;
  readonly isBold: boolean;
}

/** @throws Error for a code that has no meaning here */
function piecesOf(output: string): readonly (readonly Piece[])[] {
  let format: Format = { colour: foreground, isBold: false };
  return output.split('\n').map(line => {
    const pieces: Piece[] = [];
    let column = 0;
    for (const part of `0m${line}`.split('\u001b[')) {
      const [, code = '', content = ''] = /^(\d+)m(.*)$/.exec(part) ?? [];
      format = afterCode(Number(code), format);
      const indent = content.length - content.trimStart().length;
      const text = content.trim();
      if (text !== '') pieces.push({ column: column + indent, text, ...format });
      column += content.length;
    }
    return pieces;
  });
}

function afterCode(code: number, format: Format): Format {
  switch (code) {
    case nothing:
      return format;
    case bold:
    case endOfBold:
      return { ...format, isBold: code === bold };
    case endOfColour:
      return { ...format, colour: foreground };
    default:
      return { ...format, colour: colourOf(code) };
  }
}

function colourOf(code: number): string {
  const colour = colours[code];
  if (colour === undefined) throw new Error(`The picture of a terminal has no colour ${code}`);
  return colour;
}
