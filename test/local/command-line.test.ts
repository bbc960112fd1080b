import { expect, test } from 'vitest'
import { readArguments, USAGE } from '../../local/command-line.ts'

test('without arguments the sample stack is run', () => {
  expect(readArguments([], '/here')).toEqual({ json: false, serve: false, help: false, function: undefined })
})

test('paths of a function begin where npm was called', () => {
  const args = ['--function', 'mine', '--event', 'event.json', '--sql=/sql/schema.sql', '--env', '../.env']
  expect(readArguments(args, '/here').function).toEqual({
    folder: '/here/mine',
    handler: 'index.handler',
    event: '/here/event.json',
    sql: '/sql/schema.sql',
    envFile: '/.env',
    node: '24',
  })
})

test.each<[args: readonly string[], message: string]>([
  [['--handler', 'index.handler'], '--handler is for --function DIR'],
  [['--sql', 'schema.sql'], '--sql is for --function DIR'],
  [['--function', '.', '--node', '20'], '--node: expected 22, 24, 26, found 20'],
  [['--function'], "Option '--function <value>' argument missing"],
])('%j is refused', (args, message) => {
  expect(() => readArguments(args, '/here')).toThrow(message)
})

test('the usage names every option, in 80 columns', () => {
  const options = [...USAGE.matchAll(/^ {2}--(\w+)/gm)].map(([, name]) => name)
  expect(options).toEqual(['json', 'serve', 'function', 'handler', 'event', 'sql', 'env', 'node'])
  expect(USAGE.split('\n').filter((line) => line.length > 80)).toEqual([])
})
