import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { native } from '../../../exec/native.ts';
import { describeNative } from './available.ts';
import { BACK, GPU, HOST, roundTrip, SLOW } from './small-plans.ts';

const ADDON = fileURLToPath(new URL('../../../build/native/Release/splitpoint.node', import.meta.url));
const CPU = { backend: 'cpu' } as const;
const bytesOf = (count: number, from = 0) => Uint8Array.from({ length: count }, (_, i) => (from + i) % 251);

describeNative('a native session', () => {
  it('moves what was written over the link and back', async () => {
    const plan = roundTrip(1000);
    const session = native().open(plan, CPU);
    session.write(HOST, 0, bytesOf(1000));
    session.poison(GPU, 0, 1000);
    session.poison(BACK, 0, 1000);
    expect([...session.read(BACK, 998, 2)]).toEqual([255, 255]);
    const { startSeconds, endSeconds, enqueueSeconds, gates, captures } = await session.execute(plan);
    expect(session.read(BACK, 0, 1000)).toEqual(bytesOf(1000));
    expect(session.read(BACK, 10, 5)).toEqual(bytesOf(5, 10));
    expect(startSeconds).toHaveLength(2);
    expect(endSeconds[0]).toBeGreaterThanOrEqual(startSeconds[0]);
    expect(startSeconds[1]).toBeGreaterThanOrEqual(endSeconds[0]);
    expect(enqueueSeconds).toBeGreaterThan(0);
    expect({ gates, captures }).toEqual({ gates: 1, captures: [] });
    session.close();
  });

  it('uses the arrays of the plan in place: what changes between runs counts', async () => {
    const plan = roundTrip(100);
    const session = native().open(plan, CPU);
    session.write(HOST, 0, bytesOf(100));
    session.write(BACK, 0, new Uint8Array(100));
    plan.works.n.fill(40);
    plan.operands.rowBytes.fill(40);
    plan.operands.strideBytes.fill(40);
    plan.operands.offsetBytes[0] = 60;
    await session.execute(plan);
    expect([...session.read(BACK, 0, 42)]).toEqual([...bytesOf(40, 60), 0, 0]);
    session.close();
  });

  it('fills with numbers that depend on seed and index alone, in every type', () => {
    const session = native().open(roundTrip(800), CPU);
    const fill = { buffer: HOST, offsetBytes: 0, count: 200, type: 'fp32', seed: 7, firstIndex: 0, scale: 2, shift: 3 };
    session.fill({ ...fill, type: 'fp32' });
    const all = new Float32Array(session.read(HOST, 0, 800).buffer);
    const mean = all.reduce((sum, x) => sum + x, 0) / 200;
    expect(mean).toBeGreaterThan(2.3);
    expect(mean).toBeLessThan(3.7);
    session.fill({ ...fill, type: 'fp32', buffer: GPU, count: 10, firstIndex: 150 });
    expect(new Float32Array(session.read(GPU, 0, 40).buffer)).toEqual(all.slice(150, 160));
    session.fill({ ...fill, type: 'bf16', buffer: GPU, count: 400, scale: 0, shift: 1 });
    expect([...session.read(GPU, 796, 4)]).toEqual([0x80, 0x3f, 0x80, 0x3f]);
    session.close();
  });

  it('keeps operands on request and tells how far it is', async () => {
    const plan = roundTrip(64, 3);
    const session = native().open(plan, CPU);
    session.write(HOST, 0, bytesOf(64));
    const progress: [number, number][] = [];
    const { captures } = await session.execute(plan, {
      captures: [
        { operation: 0, operand: 1 },
        { operation: 5, operand: 0 },
      ],
      onProgress: (done, of) => progress.push([done, of]),
    });
    expect(captures).toEqual([bytesOf(64), bytesOf(64)]);
    expect(progress[progress.length - 1]).toEqual([6, 6]);
    session.close();
  });

  it('leaves the main thread free while it runs, and ends soon when cancelled', async () => {
    const plan = SLOW.plan();
    const session = native().open(plan, SLOW.options);
    const running = session.execute(plan);
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    session.cancel();
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
    session.poison(BACK, 0, 3000);
    session.close();
  });

  it('runs whole plans again after one was cancelled', async () => {
    const plan = roundTrip(400);
    const session = native().open(plan, { ...CPU, linkBytesPerSecond: 4000 });
    const running = session.execute(plan);
    session.cancel();
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
    session.write(HOST, 0, bytesOf(400));
    await session.execute(plan);
    expect(session.read(BACK, 0, 400)).toEqual(bytesOf(400));
    session.close();
  });

  it('refuses whatever would disturb a run', async () => {
    const plan = SLOW.plan();
    const session = native().open(plan, SLOW.options);
    const running = session.execute(plan);
    await expect(session.execute(plan)).rejects.toThrow('executing');
    expect(() => session.poison(HOST, 0, 1)).toThrow('executing');
    expect(() => session.read(HOST, 0, 1)).toThrow('executing');
    session.cancel();
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
    session.close();
  });

  it.each(['captures', 'onProgress'])('starts one execution where the getter of %s starts another', async (name) => {
    const plan = SLOW.plan();
    const session = native().open(plan, SLOW.options);
    let inner: Promise<unknown> | undefined;
    const options = Object.defineProperty({}, name, {
      get: () => {
        inner ??= session.execute(plan);
        return undefined;
      },
    });
    await expect(session.execute(plan, options)).rejects.toThrow('executing');
    session.cancel();
    await expect(inner).rejects.toMatchObject({ code: 'CANCELLED' });
    session.close();
  });

  it('executes nothing where a getter closes it or gives the plan’s arrays away', async () => {
    const closed = native().open(roundTrip(8), CPU);
    const fill = { buffer: HOST, offsetBytes: 0, count: 1, type: 'fp32', seed: 0, firstIndex: 0, scale: 1 } as const;
    const closing = {
      ...fill,
      get shift() {
        closed.close();
        return 0;
      },
    };
    expect(() => closed.fill(closing)).toThrow('closed');
    const plan = roundTrip(8);
    const session = native().open(plan, CPU);
    const options = {
      get captures() {
        structuredClone(plan.operands.offsetBytes, { transfer: [plan.operands.offsetBytes.buffer as ArrayBuffer] });
        return [];
      },
    };
    await expect(session.execute(plan, options)).rejects.toMatchObject({ code: 'PLAN' });
    session.close();
  });

  it('ends what runs when it is closed, and does nothing more', async () => {
    const plan = SLOW.plan();
    const session = native().open(plan, SLOW.options);
    const running = session.execute(plan);
    session.close();
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(() => session.read(HOST, 0, 1)).toThrow('the session is closed');
    await expect(session.execute(plan)).rejects.toThrow('the session is closed');
    session.cancel();
    session.close();
  });

  it('does not disturb another one that runs at the same time', async () => {
    const runs = [200, 5000].map(async (bytes) => {
      const plan = roundTrip(bytes, 50);
      const session = native().open(plan, CPU);
      session.write(HOST, 0, bytesOf(bytes, bytes));
      for (let i = 0; i < 5; i++) {
        await session.execute(plan);
        expect(session.read(BACK, 0, bytes)).toEqual(bytesOf(bytes, bytes));
      }
      session.close();
    });
    await Promise.all(runs);
  });

  it('reports a malformed plan, one of other buffers and ranges outside of buffers with the code PLAN', async () => {
    const plan = roundTrip(100);
    const session = native().open(plan, CPU);
    await expect(session.execute(roundTrip(101))).rejects.toMatchObject({ code: 'PLAN' });
    plan.operands.buffer[0] = 9;
    expect(() => native().open(plan, CPU)).toThrow(expect.objectContaining({ code: 'PLAN' }));
    await expect(session.execute(plan)).rejects.toMatchObject({
      code: 'PLAN',
      message: 'operation 0 has operand 0 in the unknown buffer 9',
    });
    expect(() => session.read(HOST, 90, 11)).toThrow(expect.objectContaining({ code: 'PLAN' }));
    expect(() => session.read(7, 0, 0)).toThrow(expect.objectContaining({ code: 'PLAN' }));
    expect(() => session.write(HOST, 1, bytesOf(100))).toThrow(expect.objectContaining({ code: 'PLAN' }));
    session.close();
  });

  it('says which memory is short, how much is asked and how much there is', () => {
    const plan = roundTrip(2 ** 50);
    expect(() => native().open(plan, CPU)).toThrow(
      expect.objectContaining({
        code: 'MEMORY',
        pool: 'gpu',
        askedBytes: 2 ** 50,
        availableBytes: expect.any(Number),
        message: expect.stringContaining('short'),
      }),
    );
  });

  it('says what a backend has, or what is missing', () => {
    expect(native().probe('cpu')).toMatchObject({ info: { backend: 'cpu', hostThreads: expect.any(Number) } });
    expect(native().probe('cpu', { hostThreads: 3 })).toMatchObject({ info: { hostThreads: 3 } });
    const cuda = native().probe('cuda');
    if ('info' in cuda) expect(cuda.info.backend).toBe('cuda');
    else {
      expect(cuda.missing).not.toBe('');
      expect(() => native().open(roundTrip(8), { backend: 'cuda' })).toThrow(
        expect.objectContaining({ code: 'DEVICE', message: cuda.missing }),
      );
    }
  });

  it('reads memory at some rate', () => {
    expect(native().hostReadRate(1 << 20, 2)).toBeGreaterThan(0);
    expect(native().hostReadRate(1, 1)).toBeGreaterThan(0);
  });

  it('works in a Worker, which may be terminated in the middle of a run', async () => {
    const source = `
      const { parentPort, workerData } = require('node:worker_threads');
      const native = require(workerData.addon);
      const quick = native.open(workerData.quick, { backend: 'cpu' });
      quick.write(0, 0, new Uint8Array(16).fill(9));
      quick.execute(workerData.quick).then(() => {
        const session = native.open(workerData.slow, workerData.options);
        session.execute(workerData.slow);
        parentPort.postMessage(quick.read(2, 0, 16));
      });`;
    const workerData = { addon: ADDON, quick: roundTrip(16), slow: SLOW.plan(), options: SLOW.options };
    const worker = new Worker(source, { eval: true, workerData });
    const read = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    expect(read).toEqual(new Uint8Array(16).fill(9));
    expect(await worker.terminate()).toBe(1);
    expect(native().faultOf(roundTrip(16))).toBeNull();
  });

  it.each([
    ['process.exit', 'process.exit(7)', 7],
    ['an error that nobody catches', 'throw new Error("done for")', 1],
  ])('does not crash a process that ends by %s in the middle of a run', (_, end, status) => {
    const source = `
      const native = require(${JSON.stringify(ADDON)});
      const plan = (${revived})(${JSON.stringify(described(SLOW.plan()))});
      const session = native.open(plan, ${JSON.stringify(SLOW.options)});
      session.execute(plan, { onProgress() {} });
      setTimeout(() => { ${end} }, 120);`;
    const result = spawnSync(process.execPath, ['-e', source], { encoding: 'utf8' });
    expect(result.signal).toBeNull();
    expect(result.status, result.stderr).toBe(status);
  });

  it.skipIf(spawnSync('prlimit', ['--version']).status !== 0)(
    'fails where there is no thread to be had, and goes on once there is',
    () => {
      // A thread's stack is a gigabyte, for which the address space is too small for a while; one that has ended leaves its own.
      const source = `
        const { spawnSync } = require('node:child_process');
        const { readFileSync } = require('node:fs');
        const native = require(${JSON.stringify(ADDON)});
        const plan = (${revived})(${JSON.stringify(described(SLOW.plan()))});
        const size = () => 1024 * Number(/VmSize:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
        const limit = (bytes) => spawnSync('prlimit', ['--pid', process.pid, '--as=' + bytes + ':']);
        const sessions = [1, 2, 3, 4].map(() => native.open(plan, ${JSON.stringify(SLOW.options)}));
        const cancelled = (running) => (sessions.forEach((session) => session.cancel()), running);
        (async () => {
          limit(size() + 2 ** 29);
          const running = sessions.map((session) => session.execute(plan).catch(({ code }) => code));
          limit('unlimited');
          const codes = await cancelled(Promise.all(running));
          const again = sessions[codes.indexOf('DEVICE')].execute(plan).catch(({ code }) => code);
          console.log(await cancelled(again));
        })();`;
      const command = ['--stack=1073741824', process.execPath, '-e', source];
      const result = spawnSync('prlimit', command, { encoding: 'utf8', timeout: 30_000 });
      expect(result.stderr).toBe('');
      expect({ stdout: result.stdout, status: result.status }).toEqual({ stdout: 'CANCELLED\n', status: 0 });
    },
  );

  it('is freed when it is forgotten, but not while it runs', () => {
    const megabytes = 64;
    const source = `
      const native = require(${JSON.stringify(ADDON)});
      const plan = (${revived})(${JSON.stringify(described(roundTrip(megabytes << 20)))});
      const turn = () => new Promise(setImmediate);
      (async () => {
        for (let i = 0; i < 10; i++) {
          await native.open(plan, { backend: 'cpu' }).execute(plan);
          for (let j = 0; j < 3; j++) { await turn(); gc(); }
        }
        console.log(process.memoryUsage().rss);
      })();`;
    const result = spawnSync(process.execPath, ['--expose-gc', '-e', source], { encoding: 'utf8' });
    expect(result.status, result.stderr).toBe(0);
    // Ten sessions hold 30 buffers; two at a time are enough.
    expect(Number(result.stdout)).toBeLessThan(10 * megabytes * 2 ** 20);
  });
});

/** A plan as JSON: typed arrays with the names of their types. */
function described(plan: object): unknown {
  return JSON.parse(
    JSON.stringify(plan, (_, value) =>
      ArrayBuffer.isView(value) ? { typed: value.constructor.name, values: Array.from(value as Float64Array) } : value,
    ),
  );
}

/** The source of the function that makes a plan of it again. */
const revived = `function revive(value) {
  if (value === null || typeof value !== 'object') return value;
  if (value.typed) return globalThis[value.typed].from(value.values);
  if (Array.isArray(value)) return value.map(revive);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revive(inner)]));
}`;
