/** The stack's outputs: the commands to type next, in this order. */
import { CfnOutput, type Stack } from 'aws-cdk-lib'

export interface NextStep {
  /** The output's name: with the value, all that the command line shows. */
  readonly id: string
  /** Shown by the console only; says nothing that name and value do not say. */
  readonly description: string
  /** A shell command, or a value for a web form. */
  readonly value: string
}

/** Adds one output for each step. The necessary ones are numbered, and sort last, next to the prompt. */
export function addNextSteps(stack: Stack, steps: { necessary: readonly NextStep[]; more: readonly NextStep[] }): void {
  for (const [index, { id, description, value }] of steps.necessary.entries()) {
    new CfnOutput(stack, `Step${index + 1}${id}`, { description, value })
  }
  for (const { id, description, value } of steps.more) new CfnOutput(stack, id, { description, value })
}
