/** What runs once, soon, however often it is called until then. */
export function oncePerTurn(run: () => void): () => void {
  let isSet = false;
  return () => {
    if (isSet) return;
    isSet = true;
    queueMicrotask(() => {
      isSet = false;
      try {
        run();
      } catch {
        // A fault of ours. Out of a microtask it would end the host's process.
      }
    });
  };
}
