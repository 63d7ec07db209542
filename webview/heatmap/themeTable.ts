import { isDark, themeColor } from '../shared/theme';
import { colorTable, type ColorMapName, type ColorTable, type Rgb } from './colorMaps';

/** A CSS colour as numbers; whatever CSS understands. */
function cssRgb(color: string): Rgb {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('This page cannot draw.');
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data;
  return [red, green, blue];
}

/** The table of a colour map in the theme as it is now. */
export function themeTable(name: ColorMapName): ColorTable {
  if (!isDark()) return colorTable(name);
  const [red, green, blue] = cssRgb(themeColor('--vscode-editor-background', '#1e1e1e'));
  // A little lighter than the background, so that a matrix of zeros is still seen to be there.
  const lift = (part: number): number => Math.min(255, part + 14);
  return colorTable(name, [lift(red), lift(green), lift(blue)]);
}
