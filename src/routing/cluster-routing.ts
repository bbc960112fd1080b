/** The ways to send the cluster identifier, in the words of the setting `clusterRouting`. */

export const CLUSTER_ROUTINGS = ['database', 'sni', 'options'] as const

/** Where the identifier is sent: in front of the database name, in the TLS server name, or in a flag of `options`. */
export type ClusterRouting = (typeof CLUSTER_ROUTINGS)[number]
