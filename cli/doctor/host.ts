import { cpus, totalmem } from 'node:os';
import { formatBytes } from '../../sim/units/format.ts';
import { type Finding, finding } from './finding.ts';
import { namesIn, outputOf, programPath, textOf } from './probe.ts';

const NEEDS_NODE = 20;
const NODES = '/sys/devices/system/node';

/** What the host offers: Node, processor, memory, NUMA nodes, pinnable memory and what builds native code. */
export function hostFindings(): Finding[] {
  return [node(), processor(), memory(), numa(), pinnable(), compiler(), cmake()];
}

function node(): Finding {
  const isOld = Number.parseInt(process.versions.node, 10) < NEEDS_NODE;
  return { name: 'Node.js', found: process.version, advice: isOld ? `Install Node.js ${NEEDS_NODE} or later.` : null };
}

function processor(): Finding {
  const cores = cpus();
  const found = cores.length > 0 ? `${cores[0].model.trim()}, ${cores.length} logical cores` : null;
  return finding('processor', found, 'Not visible here; host rates must be given in the scenario.');
}

function memory(): Finding {
  return finding('memory', formatBytes(totalmem()), 'Not visible here; host memory must be given in the scenario.');
}

function numa(): Finding {
  const nodes = namesIn(NODES).filter((name) => /^node\d+$/.test(name));
  const texts = nodes.map((name) => `${name}: cores ${textOf(`${NODES}/${name}/cpulist`)?.trim() || 'none'}`);
  const found = nodes.length > 0 ? texts.join('; ') : null;
  const advice = 'Not visible here; on a machine with several sockets, keep to the node that the GPU hangs on.';
  if (nodes.length < 2) return finding('NUMA nodes', found, advice);
  return {
    name: 'NUMA nodes',
    found,
    advice: 'Run on the node that the GPU hangs on (numactl --cpunodebind --membind).',
  };
}

function pinnable(): Finding {
  const limit = /^Max locked memory\s+(\S+)/m.exec(textOf('/proc/self/limits') ?? '')?.[1];
  const name = 'lockable memory';
  if (limit === undefined) return finding(name, null, 'Not visible here; "ulimit -l" in a shell says it.');
  if (limit === 'unlimited') return finding(name, 'unlimited', '');
  const advice = 'Buffers that the CUDA driver pins do not count; for mlock raise it with "ulimit -l unlimited".';
  return { name, found: formatBytes(Number(limit)), advice };
}

function compiler(): Finding {
  const path = ['c++', 'g++', 'clang++'].map((name) => programPath(name)).find((found) => found !== null);
  return finding(
    'C++ compiler',
    path && versioned(path),
    'Install g++ or clang++ to run plans on this machine; planning needs none.',
  );
}

function cmake(): Finding {
  const path = programPath('cmake');
  return finding('CMake', path && versioned(path), 'Install cmake to run plans on this machine; planning needs none.');
}

/** A program's path with the line it prints its version in. */
export function versioned(path: string): string {
  const line = outputOf(path, ['--version'])
    ?.split('\n')
    .find((text) => /\d\.\d/.test(text));
  return line ? `${path} (${line})` : path;
}
