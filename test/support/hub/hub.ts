/**
 * A stand-in Hub on loopback, with its storage on other ports, so that a redirect leads to another host. It serves
 * what lies in a folder as `owner/name/…`, keeps a meter, and misbehaves as its script says.
 */
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serveFront } from "./front.ts";
import { HubMeter, type Meter } from "./meter.ts";
import type { Script } from "./script.ts";
import { readShelf, type Repository } from "./shelf.ts";
import { createStorage } from "./storage.ts";

export interface StandInHub {
  /** The Hub itself: what HF_ENDPOINT names. */
  readonly url: string;
  readonly storageUrl: string;
  readonly secondStorageUrl: string;
  readonly shelf: ReadonlyMap<string, Repository>;
  readonly meter: Meter;
  /** From now on, with lists that were used up full again and the meter at zero. */
  play(script: Script): void;
  close(): Promise<void>;
}

export interface HubWishes {
  /** Folders `owner/name` with files. */
  readonly folder: string;
  readonly script?: Script;
  readonly port?: number;
  /** What links call the storage host; its address when absent. */
  readonly storageName?: string;
}

export async function startHub(wishes: HubWishes): Promise<StandInHub> {
  const shelf = await readShelf(wishes.folder);
  let script: Script = wishes.script ?? {};
  let meter = new HubMeter();
  const used = new Map<string, number>();
  const stage = { script: () => script, used, meter: () => meter };
  const { storageName = "127.0.0.1" } = wishes;
  let storageUrl = "";
  let secondStorageUrl = "";
  const storage = createStorage({ ...stage, secondUrl: () => secondStorageUrl });
  const front = serveFront({
    ...stage,
    shelf,
    link: (file) => storageUrl.replace("127.0.0.1", storageName) + storage.link(file),
  });
  const servers: Server[] = [];
  const serve = async (listener: RequestListener, port: number): Promise<string> => {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const url = await serve(front, wishes.port ?? 0);
  storageUrl = await serve(storage.serve, 0);
  secondStorageUrl = await serve(storage.serve, 0);

  return {
    url,
    storageUrl,
    secondStorageUrl,
    shelf,
    get meter() {
      return meter;
    },
    play(next) {
      script = next;
      used.clear();
      meter = new HubMeter();
    },
    close: async () => {
      await Promise.all(
        servers.map((server) => {
          const closed = new Promise((done) => server.close(done));
          server.closeAllConnections();
          return closed;
        }),
      );
    },
  };
}
