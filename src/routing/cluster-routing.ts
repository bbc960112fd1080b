/** The ways to send the cluster identifier, in the words of the setting `clusterRouting`. */

export const CLUSTER_ROUTINGS = ['database', 'sni', 'options'] as const

/** Where the identifier goes: in front of the database name, in the TLS server name, or as a flag in `options`. */
export type ClusterRouting = (typeof CLUSTER_ROUTINGS)[number]
