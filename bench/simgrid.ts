import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LayerSeconds } from './kvpr-pipeline.ts';

/** How SimGrid is driven: three actors with semaphores, or a task graph kept two layers ahead. */
export const SIMGRID_MODES = ['actors', 'graph'] as const;
type SimGridMode = (typeof SIMGRID_MODES)[number];

export interface SimGridRun {
  activities: number;
  /** Processor time of `Engine::run`; creating the platform is not counted. */
  seconds: number;
  activitiesPerSecond: number;
  simulatedSeconds: number;
}

interface SimGrid {
  run(mode: SimGridMode, layers: number, steps: number, seconds: LayerSeconds): SimGridRun;
  /** Deletes the compiled program. */
  remove(): void;
}

/** Compiles bench/simgrid/kvpr.cc, found from the repository root; null where SimGrid's headers or a C++ compiler are absent. */
export function compileSimGrid(): SimGrid | null {
  const probe = spawnSync('g++', ['-E', '-x', 'c++', '-include', 'simgrid/s4u.hpp', '/dev/null'], { stdio: 'ignore' });
  if (probe.status !== 0) return null;
  const folder = mkdtempSync(join(tmpdir(), 'splitpoint-simgrid-'));
  const program = join(folder, 'kvpr');
  try {
    execFileSync('g++', ['-O2', '-std=c++17', 'bench/simgrid/kvpr.cc', '-lsimgrid', '-o', program]);
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
  return {
    run(mode, layers, steps, { copyActivation, copyKv, recompute, block, store }) {
      const words = [mode, layers, steps, copyActivation, copyKv, recompute, block, store].map(String);
      return JSON.parse(execFileSync(program, words, { encoding: 'utf8' })) as SimGridRun;
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
