/** Tries until it succeeds, for 5 s; rejects as the last attempt did. */
export async function within5s<T>(attempt: () => Promise<T>): Promise<T> {
  const endAt = performance.now() + 5_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > endAt) throw error;
      await new Promise(resolve => setTimeout(resolve, 10));
    }
  }
}
