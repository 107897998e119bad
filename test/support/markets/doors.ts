/**
 * What runs in the instances of a stand-in market, and the way in: a port of this machine for each instance, which leads to a server that is
 * there already, or to a machine that is started with the instance and ended with it. Every byte that passes is told.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

export interface Machine {
  readonly port: number;
  /** `killed`: at once and without a word, as somebody does who was outbid. */
  end(how: "asked" | "killed"): Promise<void>;
}

/** Of an instance that begins to run. */
export interface MachineOrder {
  readonly id: string;
  readonly label: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** `host:port` of what every instance runs, or what starts it; null: nothing does. */
export type Runs = string | ((order: MachineOrder) => Promise<Machine>) | null;

export interface DoorFacts {
  /** The way in is that port: what is to be started behind it. */
  order(port: number): MachineOrder;
  passed(direction: "up" | "down", bytes: number): void;
}

interface Door {
  readonly server: Server;
  readonly sockets: Set<Socket>;
  readonly machine: Promise<Machine | null>;
  isShut: boolean;
}

export class Doors {
  readonly #runs: Runs;
  readonly #doors = new Map<string, Door>();
  readonly #ending = new Set<Promise<void>>();

  constructor(runs: Runs) {
    this.#runs = runs;
  }

  open(id: string, facts: DoorFacts): void {
    const runs = this.#runs;
    if (runs === null || this.#doors.has(id)) return;
    const sockets = new Set<Socket>();
    const server = createServer((socket) => void this.#lead(socket, door, facts));
    const machine = new Promise<Machine | null>((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        if (door.isShut || address === null || typeof address === "string") return resolve(null);
        const order = facts.order(address.port);
        resolve(typeof runs === "string" ? null : runs(order).catch(() => null));
      });
      server.once("close", () => resolve(null));
    });
    const door: Door = { server, sockets, machine, isShut: false };
    this.#doors.set(id, door);
  }

  shut(id: string, how: "asked" | "killed"): void {
    const door = this.#doors.get(id);
    if (door === undefined) return;
    this.#doors.delete(id);
    door.isShut = true;
    // Who is told to stop may still end its answers.
    if (how === "killed") for (const socket of door.sockets) socket.destroy();
    door.server.close();
    const ending = door.machine
      .then((machine) => machine?.end(how))
      .finally(() => {
        for (const socket of door.sockets) socket.destroy();
        this.#ending.delete(ending);
      });
    this.#ending.add(ending);
  }

  async close(): Promise<void> {
    for (const id of [...this.#doors.keys()]) this.shut(id, "killed");
    await Promise.allSettled(this.#ending);
  }

  async #lead(socket: Socket, door: Door, facts: DoorFacts): Promise<void> {
    door.sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => door.sockets.delete(socket));
    const machine = await door.machine;
    const [host = "127.0.0.1", port] = typeof this.#runs === "string" ? this.#runs.split(":") : [];
    const there = connect(machine?.port ?? Number(port ?? 1), host);
    door.sockets.add(there);
    there.on("error", () => {});
    there.on("close", () => {
      door.sockets.delete(there);
      socket.destroy();
    });
    socket.on("close", () => there.destroy());
    if (socket.destroyed) there.destroy();
    socket.on("data", (bytes) => facts.passed("down", bytes.length));
    there.on("data", (bytes) => facts.passed("up", bytes.length));
    socket.pipe(there).pipe(socket);
  }
}
