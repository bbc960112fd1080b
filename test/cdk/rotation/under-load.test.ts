/** Rotations by the built function, one after the other, while functions on the layer write. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { SecretsManager } from '@aws-sdk/client-secrets-manager'
import { expect, test } from 'vitest'
import { startOnLayer } from '../../support/layer-function.ts'
import { openProduct } from '../../support/product.ts'
import { createUser, startRotation } from '../../support/rotation.ts'
import { FUNCTION_ARN } from '../../support/rotation-function.ts'

const WRITERS = 2
const ROTATIONS = 50

test.each([
  ['one user', false, 1],
  ['two users in turns', true, 0],
])(
  '%s: no call fails, no write is lost, and an environment has few logins refused for each rotation',
  { timeout: 600_000 },
  async (_name, inTurns, refusedByEach) => {
    await using product = await openProduct()
    const { postgres, database, standIn } = product.cloud
    const sdk = new SecretsManager({ maxAttempts: 1 })
    await postgres.query('create table written (id text); grant all on written to public', [], database)
    const secretOf = ({ user: username, password }: { user: string; password: string }): string => {
      const name = `load/${username}`
      product.secretsManager.secrets.create(name, JSON.stringify({ ...product.fields, username, password }))
      return name
    }
    const master = await createUser(product, 'SUPERUSER')
    const SecretId = secretOf(await createUser(product))
    await startRotation(product, inTurns ? { ROTATION_MASTER_SECRET_ID: secretOf(master) } : {})
    // Turns are hours apart, and here less than a second: the secret must not be older than one turn.
    const ttl = inTurns ? { COCKROACH_SECRET_TTL_SECONDS: '0' } : {}
    const environment = { COCKROACH_SECRET_ID: SecretId, ...ttl }
    const code = join(import.meta.dirname, '../../fixtures/rotation')
    const starts = Array.from({ length: WRITERS }, () => startOnLayer(product, code, { environment }))
    const writers = await Promise.all(starts)

    let isOver = false
    const ids: string[] = []
    const failures: unknown[] = []
    const writing = writers.map(async (writer) => {
      while (!isOver) {
        const id = randomUUID()
        const { ok, error } = await writer.invoke({ id })
        if (ok) ids.push(id)
        else failures.push(error)
      }
    })
    const rotation = async (): Promise<unknown> => {
      await sdk.rotateSecret({ SecretId, RotationLambdaARN: FUNCTION_ARN })
      return product.secretsManager.secrets.rotated(SecretId)
    }
    for (let count = 0; count < ROTATIONS; count += 1) {
      expect(await rotation()).toBeUndefined()
      // Each writer has opened connections with the new login before the next rotation.
      const enough = ids.length + 6 * WRITERS
      await expect.poll(() => ids.length >= enough || failures.length > 0, { timeout: 30_000 }).toBe(true)
    }
    isOver = true
    await Promise.all(writing)
    sdk.destroy()

    expect(failures).toEqual([])
    const rows = await postgres.query<{ id: string }>('select id from written', [], database)
    expect(rows.map(({ id }) => id).sort()).toEqual(ids.toSorted())
    const { logins, authOk } = standIn.counts
    expect(logins - authOk).toBeLessThanOrEqual(refusedByEach * ROTATIONS * WRITERS)
    expect(authOk).toBeGreaterThan(ROTATIONS * WRITERS)
  },
)
