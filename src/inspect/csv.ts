import { isReadableType, noValues, toNumbers, type StoredType } from '../checkpoint/elementTypes';

/** Digits that tell every float32, and with it every float16 and bfloat16, from all others. */
const FLOAT32_DIGITS = 9;

/** How elements of a type are written so that they read back as they are. @throws UnsupportedError */
export function elementTexts(bytes: Uint8Array, type: StoredType): string[] {
  if (!isReadableType(type)) throw noValues(type);
  switch (type) {
    case 'I64':
      return Array.from(new BigInt64Array(asOwn(bytes)), String);
    case 'U64':
      return Array.from(new BigUint64Array(asOwn(bytes)), String);
    case 'F32':
    case 'F16':
    case 'BF16':
      return Array.from(toNumbers(bytes, type), value =>
        floatText(value, Number(value.toPrecision(FLOAT32_DIGITS))),
      );
    default:
      return Array.from(toNumbers(bytes, type), value => floatText(value, value));
  }
}

/** As Python and NumPy read it. @param short as near to the value as it has to be written */
function floatText(value: number, short: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return Object.is(value, -0) ? '-0' : String(short);
}

const asOwn = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;

/** Puts the elements of a matrix, as they come, into rows: cells between commas, a line feed behind each row. */
export function csvRows(width: number): (texts: readonly string[], firstElement: number) => string {
  return (texts, firstElement) => {
    let text = '';
    for (let index = 0; index < texts.length; index++) {
      const isLast = (firstElement + index + 1) % width === 0;
      text += texts[index]! + (isLast ? '\n' : ',');
    }
    return text;
  };
}
