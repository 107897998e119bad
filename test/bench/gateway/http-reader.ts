/**
 * Reads HTTP/1.1 messages off one connection, as little as a bench needs: a head, then a body by its length or in chunks. Used
 * by the load and by the upstream, so that the bench's own two processes cost as little as can be. Pure.
 */

export interface MessageEvents {
  /** Start line and headers, as they came. */
  head(text: string): void;
  body(piece: Buffer): void;
  end(): void;
}

type State = "head" | "fixed" | "chunk-size" | "chunk" | "chunk-end" | "trailer";

export class HttpReader {
  readonly #events: MessageEvents;
  #state: State = "head";
  /** What came of a line or head that is not whole yet. */
  #rest = "";
  /** Bytes that are still missing of a body or chunk. */
  #left = 0;

  constructor(events: MessageEvents) {
    this.#events = events;
  }

  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      switch (this.#state) {
        case "fixed":
        case "chunk": {
          const piece = bytes.subarray(at, at + this.#left);
          at += piece.length;
          this.#left -= piece.length;
          this.#events.body(piece);
          if (this.#left > 0) break;
          if (this.#state === "fixed") this.#end();
          else this.#state = "chunk-end";
          break;
        }
        case "head": {
          const text = this.#rest + bytes.toString("latin1", at);
          const end = text.indexOf("\r\n\r\n");
          if (end === -1) {
            this.#rest = text;
            return;
          }
          at += end + 4 - this.#rest.length;
          this.#rest = "";
          this.#begin(text.slice(0, end));
          break;
        }
        default: {
          const newline = bytes.indexOf(10, at);
          const line = this.#rest + bytes.toString("latin1", at, newline === -1 ? bytes.length : newline);
          at = newline === -1 ? bytes.length : newline + 1;
          this.#rest = newline === -1 ? line : "";
          if (newline !== -1) this.#line(line.trimEnd());
        }
      }
    }
  }

  #begin(head: string): void {
    this.#events.head(head);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    this.#left = Number(length ?? 0);
    this.#state = /\r\ntransfer-encoding: *chunked/i.test(head) ? "chunk-size" : "fixed";
    if (this.#state === "fixed" && this.#left === 0) this.#end();
  }

  #line(line: string): void {
    if (this.#state === "chunk-end") this.#state = "chunk-size";
    else if (this.#state === "chunk-size") {
      this.#left = Number.parseInt(line, 16);
      if (Number.isNaN(this.#left)) throw new Error(`no size of a chunk: ${line.slice(0, 40)}`);
      this.#state = this.#left === 0 ? "trailer" : "chunk";
    } else if (line === "") this.#end();
  }

  #end(): void {
    this.#state = "head";
    this.#events.end();
  }
}
