import { metricsRoutes } from './metrics.ts';
import { documentRoutes } from './openapi.ts';
import { restRoutes } from './rest.ts';
import type { Routes } from './server.ts';
import { streamRoutes } from './streams.ts';

/** What programs use: requests, streams, the document that describes them, figures. */
export const apiRoutes: Routes = async (app, context) => {
  for (const register of [restRoutes, streamRoutes, documentRoutes, metricsRoutes]) await register(app, context);
};
