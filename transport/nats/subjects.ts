/** Names as tokens of the broker's subjects, in which dots, blanks and wildcards mean something. */

/** The name can't be used; says what can. A mistake of the configuration. */
class UnusableName extends Error {
  override readonly name = 'UnusableName';
  readonly retryable = false;
}

const LONGEST_NAME = 128;

/** Also part of stream names, so that it is used as it is. @throws UnusableName */
export function checkClusterName(name: string): string {
  if (/^[A-Za-z0-9_-]{1,32}$/.test(name)) return name;
  throw new UnusableName(`cluster name ${JSON.stringify(name)}: 1 to 32 letters, digits, - and _`);
}

/**
 * Letters, digits, - and _ stand for themselves, every other byte of the name is `=` and two hex digits: no two names
 * share a token. @throws UnusableName
 */
export function nodeToken(name: string): string {
  const bytes = Buffer.from(name, 'utf8');
  if (bytes.length === 0 || bytes.length > LONGEST_NAME || bytes.toString('utf8') !== name) {
    throw new UnusableName(`node name ${JSON.stringify(name)}: 1 to ${LONGEST_NAME} bytes of UTF-8`);
  }
  return [...bytes]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return /[A-Za-z0-9_-]/.test(char) ? char : `=${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}

export const askSubject = (cluster: string, shard: number): string => `${cluster}.ask.${shard}`;
export const nodeSubject = (cluster: string, name: string): string => `${cluster}.node.${nodeToken(name)}`;
export const heartbeatSubject = (cluster: string): string => `${cluster}.nodes`;
