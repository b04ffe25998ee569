import { readFileSync } from 'node:fs';
import yargs from 'yargs';
import { doctorCommand } from './commands/doctor.ts';
import { machinesCommand } from './commands/machines.ts';
import { modelsCommand } from './commands/models.ts';
import { paperCommand } from './commands/paper.ts';
import { planCommand } from './commands/plan.ts';
import { profileCommand } from './commands/profile.ts';
import { runCommand } from './commands/run.ts';
import { schemaCommand } from './commands/schema.ts';
import { simulateCommand } from './commands/simulate.ts';
import { validateCommand } from './commands/validate.ts';
import { UsageError } from './usage-error.ts';

/** Runs the command that the arguments name. Bad arguments are a UsageError, bad data an InputError. */
export async function commandLine(args: string[]): Promise<void> {
  await yargs(args)
    .scriptName('splitpoint')
    .usage(
      '$0 <command>\n\nWhere should an offloaded KV cache be split: stay resident, be recomputed, be transferred, or be attended on the host?',
    )
    .parserConfiguration({ 'camel-case-expansion': false, 'dot-notation': false })
    .command(planCommand)
    .command(simulateCommand)
    .command(profileCommand)
    .command(runCommand)
    .command(validateCommand)
    .command(paperCommand)
    .command(modelsCommand)
    .command(machinesCommand)
    .command(schemaCommand)
    .command(doctorCommand)
    .demandCommand(1, 'no command is given; "splitpoint --help" lists them')
    .strict()
    .strictCommands()
    .recommendCommands()
    .version(packageVersion())
    .help()
    .alias('help', 'h')
    .wrap(Math.min(120, process.stdout.columns ?? 100))
    .exitProcess(false)
    .fail((message, error) => {
      throw error && error.name !== 'YError' ? error : new UsageError(usageProblem(message ?? error?.message, args));
    })
    .parseAsync();
}

function usageProblem(message: string, [command]: string[]): string {
  if (message.startsWith('Did you mean')) return `unknown command ${JSON.stringify(command)}. ${message}`;
  const [, unexpected] = /^Unknown command: (.*)$/s.exec(message) ?? [];
  if (unexpected !== undefined && unexpected === command)
    return `unknown command ${JSON.stringify(command)}; "splitpoint --help" lists them`;
  if (unexpected !== undefined) return `unexpected argument ${JSON.stringify(unexpected)}`;
  return message.includes('--help') ? message : `${message} ("splitpoint ${command} --help" says what there is)`;
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
