#!/usr/bin/env node
import { EXIT, type Failure, failureOf } from './failure.ts';
import { endQuietlyWithoutReader, hasColors, painter, say } from './output.ts';
import { CommanderError, program, usageFailure } from './program.ts';

/** The command line: one verb, one conversation with the engine, one exit code. */
async function main(args: readonly string[]): Promise<number> {
  let code: number = EXIT.done;
  const root = program((ended) => {
    code = ended;
  });
  // What the scripts of `completions` ask.
  if (args[0] === 'complete' && args[1] === '--') {
    const { complete } = await import('./completions.ts');
    return await complete(root, args.slice(2));
  }
  const isOnTerminal = process.stdin.isTTY && process.stdout.isTTY;
  if (args.length === 0 && !isOnTerminal) {
    root.outputHelp();
    return EXIT.done;
  }
  try {
    if (args.length === 0) {
      const { open } = await import('./verbs/open.ts');
      return (await open()) ?? EXIT.done;
    }
    await root.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    const failure = error instanceof CommanderError ? usageFailure(error) : failureOf(error);
    if (failure === null) return EXIT.done;
    // Commander has told its own already.
    if (!(error instanceof CommanderError)) tell(failure);
    return failure.exitCode;
  }
}

function tell({ message, hint }: Failure): void {
  const paint = painter(hasColors(process.stderr));
  say(`${paint('red', 'baton:')} ${message}${hint === null ? '' : `\n${paint('dim', hint)}`}`);
}

/** Nothing is left to be done, and nothing that was printed may be lost: a connection that is still open must not keep us. */
function end(code: number): void {
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
}

endQuietlyWithoutReader();
process.on('SIGINT', () => process.exit(EXIT.cancelled));
main(process.argv.slice(2)).then(end, (error: unknown) => {
  tell(failureOf(error));
  end(EXIT.failed);
});
