import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** A Slurm of our own on this machine: a controller and two nodes, by Slurm's own programs. */
export interface Cluster {
  readonly environment: NodeJS.ProcessEnv;
  /** Runs a program of Slurm's; gives what it printed. */
  ask(name: string, ...args: string[]): string;
  /** Ends a node as a power cut does: its slurmd and all that it started. */
  cut(node: string, job: string): Promise<void>;
  /** Starts a node again. */
  restore(node: string): Promise<void>;
  stop(): Promise<void>;
}

const nodes = ['n1', 'n2'];

/** Waits until something is so, however long a busy machine takes. */
export async function until<T>(what: string, look: () => T | undefined | false): Promise<T> {
  const began = Date.now();
  for (;;) {
    const found = look();
    if (found) return found;
    if (Date.now() - began > 240_000) throw new Error(`It never came to this: ${what}`);
    await wait(100);
  }
}

export async function startCluster(): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'ligo-slurm-'));
  const at = (...parts: string[]) => join(folder, ...parts);
  for (const name of ['munge', 'state', 'log', 'run', ...nodes]) {
    mkdirSync(at(name), { mode: name === 'munge' ? 0o700 : 0o755 });
  }
  writeFileSync(at('munge', 'key'), randomBytes(1024), { mode: 0o400 });
  writeFileSync(at('plugstack.conf'), '');
  const ports = await Promise.all(['controller', ...nodes].map(freePort));
  writeFileSync(at('slurm.conf'), configuration(folder, ports));
  const environment = {
    ...process.env,
    SLURM_CONF: at('slurm.conf'),
    PATH: `${process.env['PATH']}:/usr/sbin`,
  };
  const running = new Map<string, ChildProcess>();
  const start = (name: string, program: string, ...args: string[]): void => {
    const log = openSync(at('log', `${name}.out`), 'a');
    const child = spawn(program, args, { env: environment, stdio: ['ignore', log, log] });
    running.set(name, child);
  };
  const ask = (name: string, ...args: string[]): string => {
    const { stdout, stderr, status } = spawnSync(name, args, {
      env: environment,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${name} ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const isUp = (...names: string[]) => {
    try {
      const idle = ask('sinfo', '-h', '-N', '-o', '%N %T').split('\n');
      return names.every(name => idle.includes(`${name} idle`));
    } catch {
      // The controller does not answer yet.
      return false;
    }
  };
  start(
    'munged',
    'munged',
    ...['--foreground', '--force', `--key-file=${at('munge', 'key')}`],
    ...[`--socket=${at('run', 'munge')}`, `--pid-file=${at('run', 'munged.pid')}`],
    ...[`--log-file=${at('munge', 'log')}`, `--seed-file=${at('munge', 'seed')}`],
  );
  await until('munged listens', () => existsSync(at('run', 'munge')));
  start('slurmctld', 'slurmctld', '-D', '-c');
  for (const node of nodes) start(node, 'slurmd', '-D', '-N', node);
  await until('both nodes are idle', () => isUp(...nodes));
  return {
    environment,
    ask,
    async cut(node, job) {
      const own = processesOf(job, at('slurm.conf'));
      const daemon = running.get(node)!;
      const ended = new Promise(resolve => daemon.once('exit', resolve));
      for (const pid of [daemon.pid!, ...own]) process.kill(pid, 'SIGKILL');
      await ended;
    },
    async restore(node) {
      start(node, 'slurmd', '-D', '-N', node);
      await until(`${node} is idle again`, () => isUp(node));
    },
    async stop() {
      for (const child of [...running.values()].reverse()) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const ended = new Promise(resolve => child.once('exit', resolve));
        child.kill('SIGTERM');
        await ended;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The processes of a job of this cluster, with Slurm's own that watches over them. */
function processesOf(job: string, configuration: string): number[] {
  const of = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        return (
          environment.includes(`SLURM_JOB_ID=${job}`) &&
          environment.includes(`SLURM_CONF=${configuration}`)
        );
      } catch {
        // It ended meanwhile.
        return false;
      }
    })
    .map(Number);
  const parents = of.map(pid => Number(/^PPid:\t(\d+)/m.exec(statusOf(pid))?.[1]));
  const watching = parents.filter(pid => /^Name:\tslurmstepd/m.test(statusOf(pid)));
  return [...new Set([...watching, ...of])];
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function configuration(folder: string, [controller, ...ports]: number[]): string {
  const host = hostname().split('.')[0];
  const lines = [
    'ClusterName=ligo',
    `SlurmctldHost=${host}(127.0.0.1)`,
    'SlurmUser=root',
    'SlurmdUser=root',
    `SlurmctldPort=${controller}`,
    'AuthType=auth/munge',
    `AuthInfo=socket=${folder}/run/munge`,
    'CryptoType=crypto/munge',
    `StateSaveLocation=${folder}/state`,
    `SlurmdSpoolDir=${folder}/%n`,
    `SlurmctldPidFile=${folder}/run/slurmctld.pid`,
    `SlurmdPidFile=${folder}/run/%n.pid`,
    `SlurmctldLogFile=${folder}/log/slurmctld.log`,
    `SlurmdLogFile=${folder}/log/%n.log`,
    `PlugStackConfig=${folder}/plugstack.conf`,
    'MpiDefault=none',
    'ProctrackType=proctrack/linuxproc',
    'TaskPlugin=task/none',
    'SwitchType=switch/none',
    'JobAcctGatherType=jobacct_gather/none',
    'AccountingStorageType=accounting_storage/none',
    'SelectType=select/cons_tres',
    'SelectTypeParameters=CR_Core',
    'SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0',
    'ReturnToService=2',
    'SlurmdParameters=config_overrides',
    'SlurmdTimeout=6',
    'KillWait=30',
    'MinJobAge=3600',
    ...nodes.map(
      (name, at) =>
        `NodeName=${name} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${ports[at]} CPUs=2 RealMemory=2000`,
    ),
    `PartitionName=main Nodes=${nodes.join(',')} Default=YES MaxTime=INFINITE State=UP`,
  ];
  return `${lines.join('\n')}\n`;
}
