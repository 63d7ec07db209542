/**
 * Cuts a long text into pieces of at most `limit` characters (UTF-16 units), so that a window of a
 * few tokens costs a few tokens: behind a line feed if the piece's second half has one, else in
 * front of a space, which byte-level vocabularies join to the word that follows, else anywhere but
 * within a surrogate pair. The pieces joined are the text; an empty text is one empty piece.
 */
export function splitText(text: string, limit: number): string[] {
  const pieces: string[] = [];
  let start = 0;
  while (text.length - start > limit) {
    const middle = start + (limit >> 1);
    const feed = text.lastIndexOf('\n', start + limit - 1);
    const space = text.lastIndexOf(' ', start + limit);
    let end = start + limit;
    if (feed >= middle) end = feed + 1;
    else if (space > middle) end = space;
    else if ((text.charCodeAt(end) & 0xfc00) === 0xdc00) end--;
    pieces.push(text.slice(start, end));
    start = end;
  }
  pieces.push(text.slice(start));
  return pieces;
}
