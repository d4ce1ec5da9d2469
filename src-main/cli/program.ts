import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { BATON_VERSION } from '../version.ts';
import { EXIT, Failure } from './failure.ts';

/** What a verb does; the number is the exit code, 0 where there is none. Loaded only when it is that verb's turn. */
type Verb<A extends unknown[]> = (...args: A) => Promise<number | undefined>;

const SESSION = 'an id, a unique beginning or end of one, a title, or - for the last one (in a pane: its own)';
const JSON_FLAG = ['--json', 'print JSON'] as const;

/** The whole command line. `onCode` hears what the verb ended with. */
export function program(onCode: (code: number) => void): Command {
  const run =
    <A extends unknown[]>(load: () => Promise<Verb<A>>) =>
    async (...args: unknown[]) => {
      const verb = await load();
      // Commander hands over the arguments, the options and itself, as they are declared beside each verb.
      onCode((await verb(...(args as A))) ?? EXIT.done);
    };
  const root = new Command('baton')
    .description('Terminals and Claude Code sessions that outlive the window they were started in')
    .version(BATON_VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this')
    .helpCommand('help [command]', 'print what a command does')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, 'baton:')) })
    .configureHelp({ showGlobalOptions: false })
    .addHelpText('after', '\nWithout a command, on a terminal: open the window.');
  addSessionVerbs(root, run);
  addInputVerbs(root, run);
  addFollowVerbs(root, run);
  addServerVerbs(root, run);
  addInterfaceVerbs(root, run);
  addWorkspaceVerbs(root, run);
  addMachineVerbs(root, run);
  return root;
}

type Run = <A extends unknown[]>(load: () => Promise<Verb<A>>) => (...args: unknown[]) => Promise<void>;

function addSessionVerbs(root: Command, run: Run): void {
  root
    .command('new')
    .description('start a session: a shell, a command, or Claude; on a terminal it is attached at once')
    .argument('[command...]', 'what runs in it; without one the usual shell. Put -- in front of it')
    .addOption(new Option('--kind <kind>', 'a terminal or a conversation with Claude').choices(['pty', 'claude']).default('pty'))
    .option('--title <title>', 'what lists call it')
    .option('--cwd <folder>', 'where it starts; without it, here, and on another machine at home')
    .option('--machine <name>', 'which of your machines it runs on: its name, a beginning of it, or its id')
    .option('-d, --detach', 'start it in the background')
    .option('--json', 'print {"runId"} and stay detached')
    .passThroughOptions()
    .action(run(async () => (await import('./verbs/new.ts')).newSession));
  root
    .command('list')
    .alias('ls')
    .description('list the sessions')
    .option('-w, --watch', 'go on and tell every change; with --json a line each')
    .option(...JSON_FLAG)
    .action(run(async () => (await import('./verbs/list.ts')).list));
  root
    .command('session')
    .description('show one session')
    .argument('[session]', SESSION)
    .option(...JSON_FLAG)
    .action(run(async () => (await import('./verbs/list.ts')).session));
  root
    .command('attach')
    .alias('a')
    .description('make this terminal a window on a session; of a Claude session, a chat')
    .argument('[session]', SESSION)
    .option('--detach-keys <keys>', 'strokes that leave it running, such as ctrl-p,ctrl-q', 'ctrl-\\,d')
    .option('-r, --read-only', 'watch only: nothing that is typed reaches it')
    .option('--no-resize', 'leave its size as it is')
    .action(run(async () => (await import('./verbs/attach.ts')).attach));
  root
    .command('log')
    .alias('logs')
    .description('print what happened in a session; with --json every event')
    .argument('[session]', SESSION)
    .option('--after <seq>', 'only what came after this event', wholeNumber)
    .option('-f, --follow', 'go on until it ends')
    .option('--json', 'print a line of JSON for each event')
    .action(run(async () => (await import('./verbs/log.ts')).log));
  root
    .command('wait')
    .description('wait until a session is idle, has ended or asks for a permission')
    .argument('[session]', SESSION)
    .addOption(new Option('--for <what>', 'for what; without it exit, for Claude idle').choices(['idle', 'exit', 'permission']))
    .option('--timeout <time>', 'give up after so long (seconds, or 500ms, 2m, 1h) with code 7', duration)
    .option(...JSON_FLAG)
    .action(run(async () => (await import('./verbs/wait.ts')).wait));
  root
    .command('search')
    .description('search what was printed and said in all sessions, newest first')
    .argument('<text>', 'what to look for')
    .option('--session <session>', 'in this session only')
    .option('--limit <n>', 'at most so many hits', wholeNumber, 50)
    .option(...JSON_FLAG)
    .action(run(async () => (await import('./verbs/search.ts')).search));
}

function addInputVerbs(root: Command, run: Run): void {
  root
    .command('send')
    .description('type a line into a terminal, or prompt Claude')
    .argument('<session>', SESSION)
    .argument('[text...]', 'the line or prompt; without it, what stdin holds')
    .option('--raw', 'send the bytes of stdin as they are')
    .option('--no-enter', 'do not press Enter behind the line')
    .option(...JSON_FLAG)
    .action(run(async () => (await import('./verbs/send.ts')).send));
  root
    .command('permit')
    .description('list the permission requests that wait, or answer one')
    .argument('[session]', SESSION)
    .addArgument(new Argument('[decision]', 'the answer; without it they are listed').choices(['allow', 'allow-session', 'deny']))
    .option('--request <id>', 'which request, where several wait')
    .option('--reason <text>', 'what Claude is told when denied')
    .option(...JSON_FLAG)
    .action(run(async () => (await import('./verbs/permit.ts')).permit));
  root
    .command('interrupt')
    .description('stop the turn in progress; in a terminal, press Ctrl-C')
    .argument('[session]', SESSION)
    .action(run(async () => (await import('./verbs/change.ts')).interrupt));
  root
    .command('close')
    .description('end a session’s program; its log stays')
    .argument('<session>', SESSION)
    .action(run(async () => (await import('./verbs/change.ts')).close));
  root
    .command('rename')
    .description('give a session a title; without one, back to its own')
    .argument('<session>', SESSION)
    .argument('[title]', 'what lists call it')
    .action(run(async () => (await import('./verbs/change.ts')).rename));
}

function addFollowVerbs(root: Command, run: Run): void {
  const machine = ['--machine <machine>', 'another machine of yours, by name or id; else this one'] as const;
  root
    .command('follow')
    .description('have a machine told when a session needs you, ends or fails')
    .argument('[session]', SESSION)
    .option(...machine)
    .action(run(async () => (await import('./verbs/follow.ts')).follow));
  root
    .command('unfollow')
    .description('have it told no more; the session stays listed, with its history')
    .argument('[session]', SESSION)
    .option(...machine)
    .action(run(async () => (await import('./verbs/follow.ts')).unfollow));
}

function addServerVerbs(root: Command, run: Run): void {
  const server = root.command('server').description('the engine that runs sessions when no window is open');
  server
    .command('start')
    .description('start it in the background; nothing is done where one runs')
    .option('--timeout <time>', 'give up after so long', duration, 30_000)
    .option(...JSON_FLAG)
    .action(run(async () => (await import('./verbs/server.ts')).start));
  server
    .command('stop')
    .description('end it, and with it the programs in its sessions; their logs stay')
    .option('-y, --yes', 'do not ask')
    .option('--timeout <time>', 'give up after so long', duration, 30_000)
    .action(run(async () => (await import('./verbs/server.ts')).stop));
  server
    .command('status')
    .description('whether one runs; code 3 where none does')
    .option(...JSON_FLAG)
    .action(run(async () => (await import('./verbs/server.ts')).status));
  server
    .command('sessions')
    .description('list its sessions')
    .option(...JSON_FLAG)
    .action(run(async () => (await import('./verbs/list.ts')).list));
  server
    .command('session')
    .description('show one session')
    .argument('[session]', SESSION)
    .option(...JSON_FLAG)
    .action(run(async () => (await import('./verbs/list.ts')).session));
  server
    .command('users')
    .description('list its clients: windows, browsers, command lines, programs')
    .option('-a, --all', 'those too that have left; --json always has them')
    .option(...JSON_FLAG)
    .action(run(async () => (await import('./verbs/server.ts')).users));
  server
    .command('stats')
    .description('print what it and its HTTP server have done since they started')
    .option(...JSON_FLAG)
    .action(run(async () => (await import('./verbs/server.ts')).stats));
}

function addInterfaceVerbs(root: Command, run: Run): void {
  const connect = root.command('connect').description('let an interface in');
  connect
    .command('dashboard')
    .description('open the window in a browser; it is let in once, by a code that lasts half a minute')
    .option('-p, --print', 'print the link instead, for another browser')
    .option('-r, --remote', 'print the link for a browser on another machine or a phone, by a name in server.hostNames')
    .option(...JSON_FLAG)
    .action(run(async () => (await import('./verbs/connect.ts')).connectDashboard));
  connect
    .command('cli')
    .description('see to it that there is an engine to talk to, and print where; with a session, attach to it')
    .argument('[session]', SESSION)
    .option(...JSON_FLAG)
    .action(run(async () => (await import('./verbs/connect.ts')).connectCli));
  root
    .command('disconnect')
    .description('close the connections of an interface; browsers need a new code to come back')
    .addArgument(new Argument('<interface>', 'all browsers, or all other command lines').choices(['dashboard', 'cli']))
    .option(...JSON_FLAG)
    .action(run(async () => (await import('./verbs/connect.ts')).disconnect));
}

function addWorkspaceVerbs(root: Command, run: Run): void {
  root
    .command('pair')
    .description('let a new machine in: shows a code for it, then the digits that both show, and asks')
    .addOption(
      new Option('--rights <rights>', 'what it may do on the others').choices(['view', 'type', 'start']).default('start'),
    )
    .option(
      '--relay <url>',
      'where both meet, as ws:// or wss://; without it the setting relay.url, or the relay on this machine',
    )
    .option(
      '--confirm <digits>',
      'say yes if the new machine shows these digits, without asking; also to a pairing that is under way',
    )
    .option('--json', 'print {"code"}, then {"digits", "machine"}, and wait for y on stdin')
    .action(run(async () => (await import('./verbs/pair.ts')).pair));
  root
    .command('join')
    .description('become one of the machines of the one that shows the code')
    .argument('<code>', 'as baton pair shows it; CODE alone where the relay is known here')
    .option('--relay <url>', 'where both meet, as ws:// or wss://')
    .option('--json', 'print {"digits"}, then the workspace')
    .action(run(async () => (await import('./verbs/pair.ts')).join));
  addMachineListVerbs(root, run);
  addRelayVerbs(root, run);
}

const MACHINE = 'its name, its id, or a unique beginning or end of one';

function addMachineListVerbs(root: Command, run: Run): void {
  const machines = root.command('machines').description('your machines');
  machines
    .command('list', { isDefault: true })
    .description('list them, and how this one stands with their relay. The word list may be left out')
    .option(...JSON_FLAG)
    .action(run(async () => (await import('./verbs/machines.ts')).machines));
  machines
    .command('rename')
    .description('call one something else, everywhere')
    .argument('<machine>', MACHINE)
    .argument('<name>', 'at most 64 characters')
    .action(run(async () => (await import('./verbs/machines.ts')).renameMachine));
  machines
    .command('rights')
    .description('what one may do on the others')
    .argument('<machine>', MACHINE)
    .addArgument(
      new Argument('<rights>', 'look; type and answer; start sessions and everything').choices(['view', 'type', 'start']),
    )
    .action(run(async () => (await import('./verbs/machines.ts')).setMachineRights));
  machines
    .command('revoke')
    .description('remove one, for good: it is cut off at once')
    .argument('<machine>', MACHINE)
    .option('-y, --yes', 'do not ask')
    .action(run(async () => (await import('./verbs/machines.ts')).revokeMachine));
  machines
    .command('leave')
    .description('take this machine out of its workspace; what it has stays here')
    .option('-y, --yes', 'do not ask')
    .action(run(async () => (await import('./verbs/machines.ts')).leaveWorkspace));
  machines
    .command('unlock')
    .description('give the passphrase of this machine’s keys, where machines.keyProtection wants one')
    .option('--passphrase-fd <n>', 'read it from this file descriptor; without it, from stdin', wholeNumber)
    .action(run(async () => (await import('./verbs/machines.ts')).unlock));
}

function addRelayVerbs(root: Command, run: Run): void {
  const relay = root.command('relay').description('the relay that carries sealed batches between machines');
  relay
    .command('run', { isDefault: true })
    .description('be one; runs until it is ended. The word run may be left out')
    .option('--host <address>', 'where it listens', '127.0.0.1')
    .option('--port <port>', 'where it listens; 0 for any that is free', portNumber, 7474)
    .option('--data <folder>', 'where it keeps its one file of state; without it, in Baton’s data folder')
    .option('--workspaces <n>', 'how many workspaces it serves: the first that come', wholeNumber, 1)
    .option('--quota-gb <n>', 'how much it keeps for each workspace', wholeNumber, 20)
    .option('--json', 'print a line of JSON when it is ready')
    .addOption(new Option('--embedded', 'end when stdin does').hideHelp())
    .action(run(async () => (await import('./verbs/relay.ts')).relay));
  relay
    .command('start')
    .description('run one inside the engine, from now on')
    .option('--host <address>', 'where it listens: an address of this machine, or 0.0.0.0; without it the setting relay.host')
    .option(...JSON_FLAG)
    .action(run(async () => (await import('./verbs/machines.ts')).startRelay));
  relay
    .command('stop')
    .description('stop the one inside the engine')
    .option(...JSON_FLAG)
    .action(run(async () => (await import('./verbs/machines.ts')).stopRelay));
  relay
    .command('status')
    .description('how this machine stands with its relay, and who else is connected')
    .option(...JSON_FLAG)
    .action(run(async () => (await import('./verbs/machines.ts')).relayStatus));
}

function addMachineVerbs(root: Command, run: Run): void {
  const config = root.command('config').description('read and change the settings');
  config
    .command('get')
    .description('print one setting, or all')
    .argument('[key]', 'such as appearance.theme')
    .option(...JSON_FLAG)
    .action(run(async () => (await import('./verbs/config.ts')).get));
  config
    .command('set')
    .description('change a setting; without a value, back to the default')
    .argument('<key>', 'such as appearance.theme')
    .argument('[value]', 'text, or JSON')
    .action(run(async () => (await import('./verbs/config.ts')).set));
  config
    .command('validate')
    .description('say what is wrong in the settings file; code 1 where something is')
    .option(...JSON_FLAG)
    .action(run(async () => (await import('./verbs/config.ts')).validate));
  config
    .command('path')
    .description('print where the settings file lies')
    .action(run(async () => (await import('./verbs/config.ts')).path));
  root
    .command('doctor')
    .description('look for what keeps Baton from working, and say what to do')
    .option(...JSON_FLAG)
    .action(run(async () => (await import('./verbs/doctor.ts')).doctor));
  root
    .command('completions')
    .description('print a script that completes commands and sessions in your shell')
    .addArgument(new Argument('<shell>', 'for which shell').choices(['bash', 'zsh', 'fish', 'powershell']))
    .action(run(async () => (await import('./completions.ts')).printScript));
}

function wholeNumber(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError('A whole number is needed.');
  return Number(value);
}

function portNumber(value: string): number {
  const port = wholeNumber(value);
  if (port > 65_535) throw new InvalidArgumentError('A port from 0 to 65535 is needed.');
  return port;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, '': 1000 };

/** In milliseconds. */
function duration(value: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|)$/.exec(value) ?? [];
  if (number === undefined || unit === undefined) throw new InvalidArgumentError('A time such as 30, 500ms, 2m or 1h is needed.');
  return Math.round(Number(number) * (UNITS[unit] ?? 1));
}

/** What commander throws, as a code and words for people; null: it has printed help or the version. */
export function usageFailure(error: CommanderError): Failure | null {
  if (error.exitCode === 0) return null;
  return new Failure(EXIT.usage, error.message.replace(/^error: /, ''));
}

export { CommanderError };
