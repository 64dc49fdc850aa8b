/** A node becomes a member of its cluster: what it brings is offered, what holds is kept in its folder. */
import type { LogRecord } from '../../actors/kernel/message.ts';
import {
  adoptDevelopmentSecret,
  type DataFolder,
  holdDataFolder,
  ownDevelopmentSecret,
  type StoreIdentity,
} from '../../storage/dataFolder.ts';
import type { Link } from '../../transport/nats/documents.ts';
import {
  type AuthOffer,
  type ClusterSettings,
  offerSettings,
  type SettingsOffer,
} from '../../transport/nats/settings.ts';
import type { Config } from '../config.ts';

/** Of the log records that this version writes, and the newest that it reads. */
const RECORD_SCHEMA: LogRecord['schema'] = 1;

export type Joined = { readonly settings: ClusterSettings; readonly folder: DataFolder };

type JoiningConfig = Pick<
  Config,
  'CLUSTER' | 'REPLICAS' | 'SHARDS' | 'NODE_ENV' | 'DATA_DIR' | 'AUTH_SECRET' | 'AUTH_JWKS_URL'
>;

/**
 * Opens the data folder as a member's. From then on the folder's development secret is the cluster's, so that sessions
 * signed by one node are known to all, and to the commands that are run beside it.
 * @param about this version, for people, and now in ms since the epoch
 * @throws StoreInUse, StoreMismatch; what `offerSettings` throws
 */
export async function joinCluster(
  link: Link,
  config: JoiningConfig,
  about: { readonly version: string; readonly now: number },
): Promise<Joined> {
  const held = holdDataFolder(config.DATA_DIR, config.SHARDS);
  try {
    const settings = await offerSettings(link, {
      ...about,
      ...(held.identity && brought(held.identity)),
      cluster: config.CLUSTER,
      replicas: config.REPLICAS,
      shards: config.SHARDS,
      purpose: config.NODE_ENV,
      schema: RECORD_SCHEMA,
      auth: authOffer(config),
    });
    const { id, cluster: name, idSecret, authSecret } = settings;
    const folder = held.open({ id, name, idSecret });
    if (config.AUTH_SECRET === undefined && authSecret !== undefined) {
      adoptDevelopmentSecret(config.DATA_DIR, authSecret);
    }
    return { settings, folder };
  } catch (error) {
    held.close();
    throw error;
  }
}

function brought({
  idSecret,
  memberOf,
  hasOwnLog: brings,
}: StoreIdentity): Pick<SettingsOffer, 'brings' | 'memberOf'> & { readonly idSecret: string } {
  return { idSecret, brings, ...(memberOf !== undefined && { memberOf }) };
}

function authOffer({ AUTH_SECRET, AUTH_JWKS_URL, DATA_DIR }: JoiningConfig): AuthOffer {
  if (AUTH_SECRET !== undefined) return { kind: 'given', secret: AUTH_SECRET };
  if (AUTH_JWKS_URL !== undefined) return { kind: 'outside' };
  const secret = ownDevelopmentSecret(DATA_DIR);
  return { kind: 'shared', ...(secret !== undefined && { secret }) };
}
