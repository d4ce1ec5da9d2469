// What processes are there and what they weigh, from /proc: nothing elsewhere.
import { readdirSync, readFileSync } from 'node:fs';

/** The process and everything below it. */
export function treeOf(pid) {
  const all = readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const stat = read(`/proc/${name}/stat`);
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    return [{ pid: Number(name), parent, command: read(`/proc/${name}/cmdline`).replaceAll('\0', ' ') }];
  });
  const tree = all.filter((it) => it.pid === pid);
  for (const { pid: above } of tree) tree.push(...all.filter(({ parent }) => parent === above));
  return tree;
}

/** Bytes, what several share divided between them. */
export function pssOf(processes) {
  return processes.reduce((sum, { pid }) => sum + numberIn(read(`/proc/${pid}/smaps_rollup`), /^Pss:\s+(\d+) kB/m), 0);
}

export function rssOf(pid) {
  return numberIn(read(`/proc/${pid}/status`), /VmRSS:\s+(\d+) kB/);
}

/** What its threads have used of processors, in ms; Linux counts in hundredths of a second. */
export function processorMsOf(pid) {
  const stat = read(`/proc/${pid}/stat`);
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) * 10;
}

function numberIn(text, pattern) {
  return Number(pattern.exec(text)?.[1] ?? 0) * 1024;
}

/** Empty where it has gone meanwhile. */
function read(file) {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
