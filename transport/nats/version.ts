/** Versions of nats-server, and from which one on it can be trusted with what. */

export type Version = readonly [major: number, minor: number, patch: number];

/** Nothing older: what one broker alone promised was wrong in places before. */
export const OLDEST_BROKER: Version = [2, 9, 10];
/**
 * From here on several brokers have one winner per compare-and-append, survive being killed, and can sync every write:
 * what replicas and the brokers that we start ourselves need.
 */
export const OLDEST_REPLICATED_BROKER: Version = [2, 10, 22];

/** The first version in the text: `nats-server: v2.10.27` gives [2, 10, 27]. Undefined when there is none. */
export function parseVersion(text: string): Version | undefined {
  const match = /(\d+)\.(\d+)\.(\d+)/.exec(text);
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3])];
}

export function isAtLeast(version: Version, oldest: Version): boolean {
  const [major, minor, patch] = version;
  if (major !== oldest[0]) return major > oldest[0];
  if (minor !== oldest[1]) return minor > oldest[1];
  return patch >= oldest[2];
}

export const versionText = (version: Version): string => version.join('.');
