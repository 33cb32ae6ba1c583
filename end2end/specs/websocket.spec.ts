import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { signIn } from '../fixtures/journey.ts';
import { expect, test } from '../fixtures/test.ts';

// The browser itself reports a connection that was refused, or cut.
test.use({ expectedConsole: /WebSocket connection to .* failed|401/ });

/** What a script in the page saw of a WebSocket. */
interface Seen {
  readonly messages: string[];
  readonly closed: number | undefined;
}

interface Window {
  socket: { messages: string[]; closed: number | undefined; send: (text: string) => void };
}

test('a page talks to an API through a WebSocket that ends with its session', async ({ launch, stranger }) => {
  const api = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(api, 'listening');
  const authorizations: (string | undefined)[] = [];
  api.on('connection', (socket, request) => {
    authorizations.push(request.headers.authorization);
    expect(request.headers.cookie).toBeUndefined();
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  try {
    const { port } = api.address() as AddressInfo;
    const server = await launch({ config: () => `[upstreams.live]\nurl = "http://127.0.0.1:${port}"\nproviders = ["demo"]\n` });
    const page = await stranger(server.url);
    const seen = (): Promise<Seen> =>
      page.evaluate(() => {
        const { messages, closed } = (window as unknown as Window).socket;
        return { messages, closed };
      });
    const open = (): Promise<void> =>
      page.evaluate(() => {
        const socket = new WebSocket('/api/v1/proxy/live/echo');
        const seen = { messages: [] as string[], closed: undefined as number | undefined, send: (text: string) => socket.send(text) };
        (window as unknown as Window).socket = seen;
        socket.onopen = () => socket.send('hello');
        socket.onmessage = ({ data }: MessageEvent<string>) => seen.messages.push(data);
        socket.onclose = ({ code }) => (seen.closed = code);
      });

    await page.goto('/');
    await open();
    await expect.poll(async () => (await seen()).closed).toBe(1006);
    expect(authorizations, 'nobody gets through without a session').toEqual([]);

    await signIn(page);
    await open();
    await expect.poll(async () => (await seen()).messages).toEqual(['hello']);
    expect(authorizations).toEqual([expect.stringMatching(/^Bearer \S+$/)]);
    const long = 'ä€😀'.repeat(30_000);
    await page.evaluate((text) => (window as unknown as Window).socket.send(text), long);
    await expect.poll(async () => (await seen()).messages.at(-1) === long).toBe(true);

    // The sign-out happens in another tab, which shares the session.
    const other = await page.context().newPage();
    await other.goto('/account');
    await other.getByRole('button', { name: 'Sign out', exact: true }).click();
    await expect.poll(async () => (await seen()).closed, { timeout: 10_000 }).toBeDefined();
    await expect.poll(() => api.clients.size).toBe(0);
    // The sign-out still leads by the provider.
    await other.waitForURL(`${server.url}/`);
    await signIn(other);
    await open();
    await expect.poll(async () => (await seen()).messages).toEqual(['hello']);
  } finally {
    for (const socket of api.clients) socket.terminate();
    api.close();
    await once(api, 'close');
  }
});
