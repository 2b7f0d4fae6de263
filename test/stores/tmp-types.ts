import { Cluster } from 'ioredis';
import { Cluster as VCluster } from 'iovalkey';
import { createClientPool, createCluster } from 'redis';
import { redisStore } from '../../adapters/stores/redis/index.ts';
redisStore({ client: new Cluster([]) });
redisStore({ client: new VCluster([]) });
redisStore({ client: createCluster({ rootNodes: [] }) });
redisStore({ client: createClientPool() });
redisStore({ clientFactory: () => createClientPool().connect() });
