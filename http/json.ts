/**
 * What JSON.parse lets through although nobody can mean it: an object that names a member twice. Which of the two counts
 * differs from parser to parser, so what we would do isn't what a proxy in front of us has checked.
 */

/** The first member that stands twice in one object of a text that is valid JSON. */
export function repeatedMember(json: string): string | undefined {
  /** The members seen of each object that is open; null for an array. */
  const open: (Set<string> | null)[] = [];
  // Strings whole, and of the rest only what opens and closes; everything between can't hold a member's name.
  for (const [token, colon] of json.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/gs)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else if (colon !== undefined) {
      const name = JSON.parse(token.slice(0, -colon.length)) as string;
      const members = open.at(-1);
      if (members?.has(name)) return name;
      members?.add(name);
    }
  }
  return undefined;
}
