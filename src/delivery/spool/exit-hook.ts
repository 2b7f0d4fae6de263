/** What is done, synchronously, when the process exits. One listener for all, there only while somebody needs it. */
const jobs = new Set<() => void>();

/** Returns a function that takes it back. */
export function atExit(job: () => void): () => void {
  // An entry of its own for each call.
  const entry = (): void => job();
  if (jobs.size === 0) process.on('exit', runAll);
  jobs.add(entry);
  return () => {
    if (jobs.delete(entry) && jobs.size === 0) process.off('exit', runAll);
  };
}

function runAll(): void {
  for (const job of jobs) {
    try {
      job();
    } catch {
      // Nothing can be told any more, and the others have their turn.
    }
  }
}
