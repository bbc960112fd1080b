/** The three `Reflect` metadata functions without which @peculiar/x509 (through tsyringe) refuses to load. */

type Metadata = Map<unknown, unknown>
const metadataByTarget = new WeakMap<object, Metadata>()

function getOwnMetadata(key: unknown, target: object): unknown {
  return metadataByTarget.get(target)?.get(key)
}

function getMetadata(key: unknown, target: object): unknown {
  for (let owner: object | null = target; owner !== null; owner = Object.getPrototypeOf(owner)) {
    if (metadataByTarget.get(owner)?.has(key) === true) return getOwnMetadata(key, owner)
  }
  return undefined
}

function defineMetadata(key: unknown, value: unknown, target: object): void {
  const metadata: Metadata = metadataByTarget.get(target) ?? new Map()
  metadataByTarget.set(target, metadata.set(key, value))
}

// A complete polyfill (CDK's dependencies could bring one) is left as it is.
if (!('getMetadata' in Reflect)) Object.assign(Reflect, { defineMetadata, getMetadata, getOwnMetadata })
