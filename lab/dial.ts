// SPDX-License-Identifier: MIT
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from './errors.ts';

/** The address of the exec server. */
export interface Endpoint {
  port: number;
  token: string;
}

const ATTEMPTS = 20;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 10_000;

let queue: Promise<unknown> = Promise.resolve();

/**
 * Connects to the exec server. Resolves when its first bytes can be read.
 *
 * QEMU's user network accepts connections with a queue of one. A connection beyond that looks
 * established here, hangs and is reset much later. So this process makes one connection at a time.
 * It tries again when Dom0's greeting stays away, because other processes may connect, too. That is
 * safe, because nothing has been sent by then.
 */
export function dial(endpoint: Endpoint, signal: AbortSignal): Promise<Socket> {
  const socket = queue.then(() => dialNow(endpoint, signal));
  queue = socket.catch(() => {});
  return socket;
}

async function dialNow({ port }: Endpoint, signal: AbortSignal): Promise<Socket> {
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await connectOnce(port, signal, Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt));
    } catch (error) {
      signal.throwIfAborted();
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ECONNREFUSED') throw new LabError('the lab is down');
      if (attempt === ATTEMPTS)
        throw new LabError(`Dom0 cannot be reached (${code}); see: npm run lab -- console`);
      await sleep(Math.random() * 100, undefined, { signal });
    }
  }
}

function connectOnce(port: number, signal: AbortSignal, waitMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    const settle = (error?: Error) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.removeAllListeners('readable').removeAllListeners('error');
      socket.on('error', () => {}); // whoever reads the socket is told
      if (!error) return resolve(socket);
      socket.destroy();
      reject(error);
    };
    const silent = (code: string) => Object.assign(new Error(`no greeting: ${code}`), { code });
    const abort = () => settle(silent('ABORTED'));
    const timer = setTimeout(() => settle(silent('ETIMEDOUT')), waitMs);
    signal.addEventListener('abort', abort);
    socket.once('error', settle);
    // This event also comes at the end of the stream, when there is nothing to read.
    socket.once('readable', () => settle(socket.readableLength > 0 ? undefined : silent('ECONNRESET')));
  });
}
