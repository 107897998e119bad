/**
 * Multicast DNS on one network interface. Loads the library; runs in the server and in `lanthorn fleet find`.
 *
 * The socket is ours and not the library's: it would send on one interface only, whichever the system prefers, and would
 * throw where nobody can catch it when the network does not allow multicast.
 */
import { createSocket, type Socket } from "node:dgram";
import type { Bonjour as Library } from "bonjour-service";

export interface MulticastPlace {
  /** IPv4 address of the interface. */
  readonly address: string;
  /** 5353; tests take another so that they hear nobody but themselves. */
  readonly port?: number;
}

export interface Multicast {
  readonly library: Library;
  /** Resolves when the socket is closed. */
  close(): Promise<void>;
}

const group = "224.0.0.251";
const mdnsPort = 5353;
/** A query without questions: nobody answers it, and sending it shows whether multicast leaves this machine. */
const emptyQuery = Buffer.alloc(12);

/** Throws what the system says where multicast is not possible. `onTrouble` hears what goes wrong later. */
export async function openMulticast(place: MulticastPlace, onTrouble: (error: Error) => void): Promise<Multicast> {
  const { address, port = mdnsPort } = place;
  const { Bonjour } = await import("bonjour-service");
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  try {
    await bind(socket, port);
    socket.addMembership(group, address);
    socket.setMulticastInterface(address);
    // RFC 6762, section 11: with any other value a careful receiver takes it for a packet from outside.
    socket.setMulticastTTL(255);
    socket.setMulticastLoopback(true);
    await new Promise<void>((resolve, reject) => {
      socket.send(emptyQuery, port, group, (error) => (error === null ? resolve() : reject(error)));
    });
  } catch (error) {
    socket.close();
    throw error;
  }
  // Being heard is never a reason for the process to stay.
  socket.unref();
  const options: ConstructorParameters<typeof Bonjour>[0] & object = { port };
  const own = { socket, ip: group, bind: false };
  const library = new Bonjour(Object.assign(options, own), onTrouble);
  return { library, close: () => new Promise((resolve) => library.destroy(() => resolve())) };
}

function bind(socket: Socket, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    // Where the system can, only what was sent to the group is taken: this is no port for strangers to talk to.
    const options = process.platform === "linux" ? { port, address: group } : { port };
    socket.bind(options, () => {
      socket.off("error", reject);
      resolve();
    });
  });
}
