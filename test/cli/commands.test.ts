import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nativePath } from '../../exec/native.ts';
import { GPU_NAMES, HOST_NAMES, LINK_NAMES, MACHINE_NAMES } from '../../sim/machine/catalogue.ts';
import { MODEL_NAMES } from '../../sim/model/catalogue.ts';
import type { MachineSummary, ModelSummary } from '../../sim/planner/result.ts';
import { splitpoint } from './splitpoint.ts';

describe('splitpoint models', () => {
  it('lists every model as JSON', () => {
    const models = JSON.parse(splitpoint(['models', '--json']).stdout) as ModelSummary[];
    expect(models.map(({ name }) => name)).toEqual(MODEL_NAMES);
    expect(models.find(({ name }) => name === 'llama-3.1-8b')?.kvBytesPerToken).toBe(131_072);
  });

  it('shows one model with the ratio of activation to KV bytes', () => {
    const { stdout, code } = splitpoint(['models', 'llama-3.1-8b']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^llama-3\.1-8b +8\.03 +8\.03 +32 +4,096 +8,192 +2\.00 /m);
  });
});

describe('splitpoint machines', () => {
  it('lists every machine as JSON', () => {
    const machines = JSON.parse(splitpoint(['machines', '--json']).stdout) as MachineSummary[];
    expect(machines.map(({ name }) => name)).toEqual(MACHINE_NAMES);
    expect(machines.every(({ gpu, host, link, measured }) => gpu && host && link && measured === false)).toBe(true);
  });

  it('lists every machine as a table', () => {
    const { stdout } = splitpoint(['machines']);
    for (const name of MACHINE_NAMES) expect(stdout).toContain(`\n${name} `);
    for (const [kind, names] of Object.entries({ GPUs: GPU_NAMES, hosts: HOST_NAMES, links: LINK_NAMES })) {
      expect(stdout).toContain(`\n${kind}: ${names.join(', ')}\n`);
    }
  });

  it('shows every figure of one machine with basis and source', () => {
    const { stdout } = splitpoint(['machines', 'a100-pcie-40gb']);
    expect(stdout).toMatch(/^memoryBandwidth +1555 GB\/s +datasheet +NVIDIA A100/m);
    expect(stdout).toMatch(/^duplex +0\.82 +measured +/m);
  });
});

describe('splitpoint schema', () => {
  it('prints a JSON Schema', () => {
    expect(splitpoint(['schema', '--json'])).toEqual(splitpoint(['schema']));
    expect(JSON.parse(splitpoint(['schema']).stdout)).toMatchObject({
      type: 'object',
      required: ['model', 'machine', 'workload'],
    });
  });
});

describe('splitpoint doctor', () => {
  it('says of each thing whether it was found, and what to do where it was not', () => {
    const { stdout, code } = splitpoint(['doctor', '--json']);
    expect(code).toBe(0);
    const findings = JSON.parse(stdout) as { name: string; found: string | null; advice: string | null }[];
    expect(findings.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'Node.js',
        'processor',
        'memory',
        'NUMA nodes',
        'lockable memory',
        'C++ compiler',
        'CMake',
        'native addon',
        'CPU backend',
        'CUDA backend',
        'NVIDIA driver',
        'NVIDIA GPUs',
        'libcuda',
        'cuBLAS',
        'nvcc',
      ]),
    );
    expect(findings.find(({ name }) => name === 'Node.js')?.found).toBe(process.version);
    for (const { found, advice } of findings) expect(found !== null || advice !== null).toBe(true);
  });

  it('says which BLAS the CPU backend has, and to install one where it is the built-in one', (context) => {
    const cpuBackend = (env: Record<string, string>) => {
      const { stdout } = spawnSync(process.execPath, ['dist/cli/main.js', 'doctor', '--json'], {
        encoding: 'utf8',
        env: { ...process.env, ...env },
      });
      const findings = JSON.parse(stdout) as { name: string; found: string | null; advice: string | null }[];
      return findings.find(({ name }) => name === 'CPU backend')!;
    };
    if (nativePath() === undefined) {
      expect(cpuBackend({})).toMatchObject({ found: null });
      return context.skip('the addon is not built');
    }
    expect(cpuBackend({ SPLITPOINT_BLAS: 'builtin' })).toEqual({
      name: 'CPU backend',
      found: 'matrix products by built-in',
      advice: expect.stringContaining('libopenblas'),
    });
    expect(cpuBackend({ SPLITPOINT_BLAS: 'no/such.so' })).toEqual({
      name: 'CPU backend',
      found: null,
      advice: expect.stringContaining('SPLITPOINT_BLAS'),
    });
  });

  it('runs where no program can be found', () => {
    const { status, stdout } = spawnSync(process.execPath, ['dist/cli/main.js', 'doctor'], {
      encoding: 'utf8',
      env: { PATH: '' },
    });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^C\+\+ compiler +missing$/m);
  });
});

describe('splitpoint', () => {
  it('says its version', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(splitpoint(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it.each(['plan', 'simulate', 'models', 'machines', 'schema', 'doctor'])('explains %s with examples', (command) => {
    const { code, stdout } = splitpoint([command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`Examples:\n +splitpoint ${command}`));
  });

  it('ends in silence when its reader has seen enough', () => {
    const command = `"${process.execPath}" dist/cli/main.js schema | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', command], { encoding: 'utf8' });
    expect(stdout).toBe('{\n0\n');
    expect(stderr).toBe('');
  });
});
