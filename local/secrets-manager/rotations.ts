/** The rotations of the Secrets Manager stand-in: a function is called once for each step, in AWS's order. */

/** What Secrets Manager sends to a rotation function. */
export interface RotationEvent {
  readonly SecretId: string
  readonly ClientRequestToken: string
  readonly Step: RotationStep
}

/** Invokes the function; rejects when the function fails. */
export type RotationFunction = (event: RotationEvent) => Promise<void>

/** @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html */
export const ROTATION_STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const
type RotationStep = (typeof ROTATION_STEPS)[number]

/** What a rotation knows of a secret. */
interface RotatedSecret {
  readonly ARN: string
  readonly versions: Map<string, unknown>
  rotatedAt: Date | undefined
}

export class Rotations {
  readonly #functions = new Map<string, RotationFunction>()
  /** The last rotation of each secret: its error, or undefined. */
  readonly #last = new Map<RotatedSecret, Promise<unknown>>()

  register(functionArn: string, call: RotationFunction): void {
    this.#functions.set(functionArn, call)
  }

  /** Runs all steps; unlike AWS, a failed rotation is not repeated by itself. */
  begin(secret: RotatedSecret, functionArn: string, token: string): void {
    this.#run(secret, async () => {
      for (const step of ROTATION_STEPS) await this.#call(secret, functionArn, token, step)
      secret.rotatedAt = new Date()
    })
  }

  /** RotateImmediately=false: runs the one step that changes nothing, with a version that is taken away again. */
  tryOut(secret: RotatedSecret, functionArn: string, token: string): void {
    this.#run(secret, async () => {
      try {
        await this.#call(secret, functionArn, token, 'testSecret')
      } finally {
        secret.versions.delete(token)
      }
    })
  }

  ended(secret: RotatedSecret): Promise<unknown> {
    return this.#last.get(secret) ?? Promise.resolve(undefined)
  }

  #run(secret: RotatedSecret, work: () => Promise<void>): void {
    this.#last.set(
      secret,
      // RotateSecret answers before.
      Promise.resolve()
        .then(work)
        .catch((error: unknown) => error),
    )
  }

  async #call(
    secret: RotatedSecret,
    functionArn: string,
    ClientRequestToken: string,
    Step: RotationStep,
  ): Promise<void> {
    const call = this.#functions.get(functionArn)
    if (call === undefined) throw new Error(`The stand-in has no rotation function ${functionArn}; register it first`)
    await call({ SecretId: secret.ARN, ClientRequestToken, Step })
  }
}
