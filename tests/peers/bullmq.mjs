// BullMQ: one process, 16 jobs at once. At least once: a job whose worker stops renewing its lock is given out again.
import { createRequire } from "node:module";

// ES modules know no search path: the package lies where `run` installed it.
const { Queue, Worker } = createRequire(`${process.env.NPM_PREFIX}/`)("bullmq");

const SLOTS = 16;
const WARM_UP = 200;
const JOBS = Number(process.argv[2]);
const { hostname: host, port } = new URL(process.env.REDIS_URL);
const connection = { host, port: Number(port), maxRetriesPerRequest: null };

const queue = new Queue("noop", { connection });

async function enqueue(count) {
  for (let first = 0; first < count; first += 1000) {
    const length = Math.min(1000, count - first);
    await queue.addBulk(Array.from({ length }, (_, index) => ({ name: "nothing", data: { number: first + index } })));
  }
}

await enqueue(WARM_UP);
const before = performance.now();
await enqueue(JOBS);
const enqueued = JOBS / (performance.now() - before) * 1000;

let done = 0;
let started;
const worker = new Worker("noop", async () => {}, { connection, concurrency: SLOTS, autorun: false });
const processed = await new Promise((resolve) => {
  // Emitted when Redis knows that the job is done.
  worker.on("completed", () => {
    done += 1;
    if (done === WARM_UP) started = performance.now();
    if (done === WARM_UP + JOBS) resolve(JOBS / (performance.now() - started) * 1000);
  });
  worker.run();
});
const { waiting, active, completed } = await queue.getJobCounts();
if (waiting + active > 0 || completed !== WARM_UP + JOBS) throw new Error("not every job was done once");
console.log(enqueued.toFixed(0), processed.toFixed(0));
await worker.close();
await queue.close();
process.exit(0);
