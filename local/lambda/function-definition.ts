/** The definition of a Lambda function, as Lambda has it from CloudFormation. */

export type LambdaRuntime = 'nodejs22.x' | 'nodejs24.x' | 'nodejs26.x'

export interface FunctionDefinition {
  /** `<file without extension>.<export>`, for example `index.handler`. */
  readonly handler: string
  /** Path of a zip file or a folder. */
  readonly code: string
  /** Paths of zip files or folders, in the order in which they are laid over each other. */
  readonly layers: readonly string[]
  /** The function's own environment variables. */
  readonly environment: Readonly<Record<string, string>>
  readonly timeoutSeconds: number
  readonly memoryMb: number
  readonly runtime: LambdaRuntime
}
