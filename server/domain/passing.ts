/**
 * Async iterables that are handed on without a generator around them: a generator costs several promises for each event that passes,
 * and the events of a stream pass many rooms. Pure; imports nothing.
 */

export interface Watch<Event> {
  /** Before an event is handed on. */
  readonly event?: (event: Event) => void;
  /** Once, however it ends: read to its end, failed (`thrown` says with what), or left by its reader. */
  readonly over?: (how: { readonly thrown?: unknown }) => void;
}

/** The same events. `begin` is called when the first one is asked for. */
export function watched<Event>(events: AsyncIterable<Event>, begin: () => Watch<Event>): AsyncIterable<Event> {
  return {
    [Symbol.asyncIterator]() {
      let inner: AsyncIterator<Event> | null = null;
      let watch: Watch<Event> = {};
      let isOver = false;
      const over = (how: { readonly thrown?: unknown }) => {
        if (isOver) return;
        isOver = true;
        watch.over?.(how);
      };
      const seen = (result: IteratorResult<Event>) => {
        if (result.done === true) over({});
        else watch.event?.(result.value);
        return result;
      };
      const failed = (thrown: unknown): never => {
        over({ thrown });
        throw thrown;
      };
      return {
        next() {
          if (inner === null) {
            watch = begin();
            inner = events[Symbol.asyncIterator]();
          }
          return inner.next().then(seen, failed);
        },
        async return() {
          try {
            await inner?.return?.();
          } finally {
            if (inner !== null) over({});
          }
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** Events of what `open` gives, which is called when the first one is asked for. */
export function later<Event>(open: () => Promise<AsyncIterable<Event>>): AsyncIterable<Event> {
  return {
    [Symbol.asyncIterator]() {
      let inner: AsyncIterator<Event> | null = null;
      let isLeft = false;
      const first = async (): Promise<IteratorResult<Event>> => {
        if (isLeft) return { done: true, value: undefined };
        inner = (await open())[Symbol.asyncIterator]();
        const result = await inner.next();
        // Its reader left meanwhile: what was opened hears of it now.
        if (isLeft) await inner.return?.();
        return result;
      };
      return {
        next: () => (inner === null ? first() : inner.next()),
        async return() {
          isLeft = true;
          await inner?.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
