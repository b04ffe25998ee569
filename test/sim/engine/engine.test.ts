import { describe, expect, it } from 'vitest';
import { simulate } from '../../../sim/engine/engine.ts';
import { encode, type Problem, type ProblemTask } from '../../oracle/problem.ts';
import { simulateSlowly } from '../../oracle/slow-simulator.ts';

/** A task on a stream that works `seconds` with these shares. */
function task(stream: number, seconds: number, shares: number[], rest: Partial<ProblemTask> = {}): ProblemTask {
  return { stream, seconds, shares, after: [], latencySeconds: 0, ...rest };
}

/** Checks starts and ends as [start, end] by task, of the engine and of the slow simulator alike. */
function expectTimes(problem: Problem, times: [start: number, end: number][]): void {
  const { tasks, costs } = encode(problem);
  const makespan = Math.max(0, ...times.map(([, end]) => end));
  for (const timeline of [simulate(tasks, costs), simulateSlowly(problem)]) {
    expect(timeline.startSeconds).toHaveLength(times.length);
    expect(timeline.endSeconds).toHaveLength(times.length);
    for (const [i, [start, end]] of times.entries()) {
      expect(timeline.startSeconds[i], `start of task ${i}`).toBeCloseTo(start, 12);
      expect(timeline.endSeconds[i], `end of task ${i}`).toBeCloseTo(end, 12);
    }
    expect(timeline.makespanSeconds).toBeCloseTo(makespan, 12);
  }
}

describe('streams and dependencies', () => {
  it('takes no time over an empty plan', () => {
    expectTimes({ tasks: [], capacity: [1] }, []);
    expectTimes({ tasks: [], capacity: [] }, []);
  });

  it('runs a task alone for as long as it costs', () => {
    expectTimes({ tasks: [task(0, 3, [1])], capacity: [1] }, [[0, 3]]);
  });

  it('runs the tasks of a stream in index order even where a later one could start', () => {
    // Stream 0: A (2), then B, which waits for C on stream 1, then D, which waits for nothing but its turn.
    //   A 0..2; C 0..5; B starts at max(2, 5) = 5, ends 6; D 6..7
    const tasks = [task(0, 2, [0]), task(1, 5, [0]), task(0, 1, [0], { after: [1] }), task(0, 1, [0])];
    expectTimes({ tasks, capacity: [1] }, [
      [0, 2],
      [0, 5],
      [5, 6],
      [6, 7],
    ]);
  });

  it('starts a task when the last of its dependencies on other streams has ended', () => {
    //   A 0..1, B 0..4, C 0..2; D after A, B and C: max(1, 4, 2) = 4 .. 5
    const tasks = [task(0, 1, [0]), task(1, 4, [0]), task(2, 2, [0]), task(3, 1, [0], { after: [0, 1, 2] })];
    expectTimes({ tasks, capacity: [1] }, [
      [0, 1],
      [0, 4],
      [0, 2],
      [4, 5],
    ]);
  });

  it('accepts a dependency named twice and one on the task before in the stream', () => {
    const tasks = [task(0, 1, [0]), task(0, 1, [0], { after: [0, 0] }), task(1, 1, [0], { after: [0, 1, 0] })];
    expectTimes({ tasks, capacity: [1] }, [
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });

  it('lets sixteen streams run at once', () => {
    // Sixteen tasks with share 1 on capacity 1: x = 1/16 each until all end together at 16.
    const tasks = Array.from({ length: 16 }, (_, stream) => task(stream, 1, [1]));
    expectTimes(
      { tasks, capacity: [1] },
      tasks.map(() => [0, 16]),
    );
  });

  it('refuses a seventeenth stream by its number', () => {
    const { tasks, costs } = encode({ tasks: [task(0, 1, [1]), task(16, 1, [1])], capacity: [1] });
    expect(() => simulate(tasks, costs)).toThrow('found stream 16, expected at most 16 streams');
  });

  it('passes over streams without tasks', () => {
    const tasks = [task(5, 1, [1]), task(2, 2, [1], { after: [0] })];
    expectTimes({ tasks, capacity: [1] }, [
      [0, 1],
      [1, 3],
    ]);
  });

  it('names the task that can never start', () => {
    // Task 2 waits for task 3, which waits for its turn behind task 2.
    const tasks = [task(0, 1, [0]), task(1, 1, [0]), task(1, 1, [0], { after: [3] }), task(1, 1, [0])];
    const encoded = encode({ tasks, capacity: [1] });
    expect(() => simulate(encoded.tasks, encoded.costs)).toThrow(/\b2\b/);
    expect(() => simulateSlowly({ tasks, capacity: [1] })).toThrow(/\b2\b/);
  });
});

describe('latency and empty work', () => {
  it('lets a task hold its stream for its latency before it works', () => {
    //   A: latency 0..0.5, work 0.5..2.5; B: latency 2.5..3.5, no work
    const tasks = [task(0, 2, [1], { latencySeconds: 0.5 }), task(0, 0, [1], { latencySeconds: 1 })];
    expectTimes({ tasks, capacity: [1] }, [
      [0, 2.5],
      [2.5, 3.5],
    ]);
  });

  it('draws on nothing during latency', () => {
    // A works alone 0..1 (1 of 2 done), then shares with B: x = 1/2 each.
    //   A: 1 left at 1/2 -> ends 3; B has done 1 of 2 by 3, then alone: ends 4
    const tasks = [task(0, 2, [1]), task(1, 2, [1], { latencySeconds: 1 })];
    expectTimes({ tasks, capacity: [1] }, [
      [0, 3],
      [0, 4],
    ]);
  });

  it('overlaps latencies on different streams', () => {
    //   both wait 0..1, then share: x = 1/2 each until 3
    const tasks = [task(0, 1, [1], { latencySeconds: 1 }), task(1, 1, [1], { latencySeconds: 1 })];
    expectTimes({ tasks, capacity: [1] }, [
      [0, 3],
      [0, 3],
    ]);
  });

  it('ends a task without latency and work when it starts, and passes through chains of them', () => {
    // A 0..1, then three empty tasks across two streams, all at 1, then E 1..3.
    const tasks = [
      task(0, 1, [1]),
      task(1, 0, [1], { after: [0] }),
      task(0, 0, [0], { after: [1] }),
      task(1, 0, [1], { after: [2] }),
      task(0, 2, [1], { after: [3] }),
    ];
    expectTimes({ tasks, capacity: [1] }, [
      [0, 1],
      [1, 1],
      [1, 1],
      [1, 1],
      [1, 3],
    ]);
  });

  it('ends a plan of empty tasks at zero', () => {
    const tasks = [task(0, 0, [1]), task(0, 0, [1]), task(1, 0, [1], { after: [1] })];
    expectTimes({ tasks, capacity: [1] }, [
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });
});

describe('sharing', () => {
  it('slows two copies on one link to half speed each', () => {
    //   x1 + x2 <= 1  ->  x1 = x2 = 1/2
    //   A (1): ends 2; B has done 1 of 3, then alone: 2 + 2 = 4
    const tasks = [task(0, 1, [1]), task(1, 3, [1])];
    expectTimes({ tasks, capacity: [1] }, [
      [0, 2],
      [0, 4],
    ]);
  });

  it('slows a copy and host work on the same DRAM by the same factor', () => {
    // Resources: link, DRAM. The copy fills the link and takes 0.25 of DRAM; host work takes all of DRAM.
    //   link: x1 <= 1;  DRAM: 0.25 x1 + x2 <= 1  ->  both rise to x = 1 / 1.25 = 0.8
    //   copy (4): ends 4 / 0.8 = 5; host work has done 4 of 6, then alone: 5 + 2 = 7
    const tasks = [task(0, 4, [1, 0.25]), task(3, 6, [0, 1])];
    expectTimes({ tasks, capacity: [1, 1] }, [
      [0, 5],
      [0, 7],
    ]);
  });

  it('runs tasks at full speed where the resource has enough for all of them', () => {
    //   0.3 x1 + 0.5 x2 <= 1  ->  not full at x = 1: both run as if alone
    const tasks = [task(0, 2, [0.3]), task(1, 3, [0.5])];
    expectTimes({ tasks, capacity: [1] }, [
      [0, 2],
      [0, 3],
    ]);
  });

  it('gives what a task held back elsewhere leaves to the others', () => {
    // Resources P, Q. A and B draw on P, B and C on Q; P is half as large.
    //   P: x1 + x2 <= 0.5;  Q: x2 + x3 <= 1
    //   rise to 1/4: P is full, A and B stay at 1/4; C goes on to 1 - 1/4 = 3/4
    //   C (3): ends 4, with A and B at 1 of 2 done; A and B go on at 1/4: end 8
    const tasks = [task(0, 2, [1, 0]), task(1, 2, [1, 1]), task(2, 3, [0, 1])];
    expectTimes({ tasks, capacity: [0.5, 1] }, [
      [0, 8],
      [0, 8],
      [0, 4],
    ]);
  });

  it('slows a lone task that asks for more than there is', () => {
    //   x <= 1 and 0.8 x <= 0.2  ->  x = 1/4
    expectTimes({ tasks: [task(0, 1, [0.8])], capacity: [0.2] }, [[0, 4]]);
  });

  it('lets a resource of capacity two carry two tasks at full speed and slow a third', () => {
    //   x1 + x2 + x3 <= 2  ->  2/3 each; A and B (2) end 3; C has done 2 of 3, then alone: 4
    const tasks = [task(0, 2, [1]), task(1, 2, [1]), task(2, 3, [1])];
    expectTimes({ tasks, capacity: [2] }, [
      [0, 3],
      [0, 3],
      [0, 4],
    ]);
  });

  it('fills three levels one after the other', () => {
    // Resources P (0.3), Q (0.8), R (1.5). A, B on P; B, C on Q; C, D on R; D is capped at 1.
    //   level 0.15: P full -> A = B = 0.15; Q: 0.15 + x3 <= 0.8 -> C = 0.65; R: 0.65 + x4 <= 1.5 -> 0.85 = D
    // Works are chosen so that all end at 10.
    const tasks = [task(0, 1.5, [1, 0, 0]), task(1, 1.5, [1, 1, 0]), task(2, 6.5, [0, 1, 1]), task(3, 8.5, [0, 0, 1])];
    expectTimes(
      { tasks, capacity: [0.3, 0.8, 1.5] },
      tasks.map(() => [0, 10]),
    );
  });

  it('leaves tasks that draw on nothing alone', () => {
    const tasks = [task(0, 2, [1]), task(1, 2, [0]), task(2, 2, [1])];
    expectTimes({ tasks, capacity: [1] }, [
      [0, 4],
      [0, 2],
      [0, 4],
    ]);
  });

  it('starts both successors of tasks that end together', () => {
    // A and B (1 each) share and end at 2; C and D follow, share, and end at 2 + 2 = 4; E after both.
    const tasks = [
      task(0, 1, [1]),
      task(1, 1, [1]),
      task(0, 1, [1], { after: [1] }),
      task(1, 1, [1], { after: [0] }),
      task(2, 1, [1], { after: [2, 3] }),
    ];
    expectTimes({ tasks, capacity: [1] }, [
      [0, 2],
      [0, 2],
      [2, 4],
      [2, 4],
      [4, 5],
    ]);
  });
});

describe('coupling', () => {
  const couplings = [{ a: 0, b: 1, factorA: 0.8, factorB: 0.8 }];

  it('slows both directions of a link while both run, and only then', () => {
    // Up (4) and down (8), each alone on its direction: x = 0.8 while both run.
    //   up ends 4 / 0.8 = 5; down has done 4 of 8, then at full speed: 5 + 4 = 9
    const tasks = [task(0, 4, [1, 0]), task(1, 8, [0, 1])];
    expectTimes({ tasks, capacity: [1, 1], couplings }, [
      [0, 5],
      [0, 9],
    ]);
  });

  it('does not slow copies that run one after the other', () => {
    const tasks = [task(0, 4, [1, 0]), task(1, 8, [0, 1], { after: [0] })];
    expectTimes({ tasks, capacity: [1, 1], couplings }, [
      [0, 4],
      [4, 12],
    ]);
  });

  it('does not count a copy in its latency as running', () => {
    // Down waits 0..1; up (2) has done 1 by then; both at 0.8: up ends 1 + 1 / 0.8 = 2.25;
    // down has done 1 of 2, then at full speed: 3.25
    const tasks = [task(0, 2, [1, 0]), task(1, 2, [0, 1], { latencySeconds: 1 })];
    expectTimes({ tasks, capacity: [1, 1], couplings }, [
      [0, 2.25],
      [0, 3.25],
    ]);
  });

  it('does not slow copies that leave the lost capacity unused', () => {
    // 0.8 of each direction is all that these copies ask for.
    const tasks = [task(0, 3, [0.8, 0]), task(1, 5, [0, 0.5])];
    expectTimes({ tasks, capacity: [1, 1], couplings }, [
      [0, 3],
      [0, 5],
    ]);
  });

  it('leaves third resources whole', () => {
    // DRAM (third): 0.5 x1 + 0.5 x2 + x3 <= 1; up, down <= 0.8.
    //   all rise to 1/2: DRAM full, everyone at 1/2
    //   up and down (2): end 4; host work (4) has done 2, then alone: 6
    const tasks = [task(0, 2, [1, 0, 0.5]), task(1, 2, [0, 1, 0.5]), task(2, 4, [0, 0, 1])];
    expectTimes({ tasks, capacity: [1, 1, 1], couplings }, [
      [0, 4],
      [0, 4],
      [0, 6],
    ]);
  });

  it('couples a task that draws on both with itself', () => {
    //   x <= 0.8: 4 / 0.8 = 5
    expectTimes({ tasks: [task(0, 4, [1, 1])], capacity: [1, 1], couplings }, [[0, 5]]);
  });

  it('slows a copy and a kernel by different factors while both run', () => {
    // Copy (4) at 0.8, kernel (3) at 0.5: the copy ends at 5; the kernel has done 2.5 of 3, then at full speed: 5.5
    const uneven = [{ a: 0, b: 1, factorA: 0.8, factorB: 0.5 }];
    expectTimes({ tasks: [task(0, 4, [1, 0]), task(1, 3, [0, 1])], capacity: [1, 1], couplings: uneven }, [
      [0, 5],
      [0, 5.5],
    ]);
  });

  it('multiplies the factors of all that slow a resource', () => {
    // Up beside down and a kernel: 0.8 × 0.5 = 0.4; down at 0.8, the kernel at 0.9.
    //   up (2) ends 5 if the others last: down 4 / 0.8 = 5, kernel 4.5 / 0.9 = 5
    const several = [...couplings, { a: 0, b: 2, factorA: 0.5, factorB: 0.9 }];
    const tasks = [task(0, 2, [1, 0, 0]), task(1, 4, [0, 1, 0]), task(2, 4.5, [0, 0, 1])];
    expectTimes({ tasks, capacity: [1, 1, 1], couplings: several }, [
      [0, 5],
      [0, 5],
      [0, 5],
    ]);
  });
});

describe('a pipeline with double buffers', () => {
  it('runs at the pace of the slower stage once the buffers are full', () => {
    // Fetches (2 s) on stream 0, computation (3 s) on stream 1; fetch i waits for computation i - 2.
    //   fetch 0..2, 2..4; compute 2..5, 5..8, 8..11, 11..14; fetch 2 at 5..7, fetch 3 at 8..10
    const tasks: ProblemTask[] = [];
    for (let i = 0; i < 4; i++) {
      tasks.push(task(0, 2, [1, 0], { after: i < 2 ? [] : [2 * i - 3] }));
      tasks.push(task(1, 3, [0, 1], { after: [2 * i] }));
    }
    expectTimes({ tasks, capacity: [1, 1] }, [
      [0, 2],
      [2, 5],
      [2, 4],
      [5, 8],
      [5, 7],
      [8, 11],
      [8, 10],
      [11, 14],
    ]);
  });
});
