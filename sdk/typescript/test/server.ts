import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

/** `highstreet`, as it was built; `cargo xtask sdk` says where. */
const PROGRAM = process.env["HIGHSTREET"] ?? "../../target/debug/highstreet";

/** A street of its own: a process, free ports, a folder. */
export class Server {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly baseUrl: string,
  ) {}

  /** Starts `highstreet serve` with these arguments, made for its folder, and waits until it is ready. */
  static async start(more: (folder: string) => string[] = () => []): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), "highstreet-"));
    const [listen, admin] = [await freeAddress(), await freeAddress()];
    const data = join(folder, "data");
    const words = ["serve", "--listen", listen, "--admin", admin, "--data", data, ...more(folder)];
    const environment = { ...process.env, HIGHSTREET_LOG: "error" };
    const child = spawn(PROGRAM, words, { stdio: ["ignore", "ignore", "inherit"], env: environment });
    const server = new Server(child, folder, `http://${listen}`);
    try {
      await server.ready(`http://${admin}/readyz`);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** Ends this very process, and what it kept. */
  async stop(): Promise<void> {
    if (this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, "exit");
      this.child.kill("SIGTERM");
      await ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  private async ready(probe: string): Promise<void> {
    let failed: unknown;
    this.child.once("error", (error) => (failed = error));
    for (const begun = Date.now(); Date.now() < begun + 30_000; await pause(20)) {
      if (failed !== undefined || this.child.exitCode !== null) {
        throw new Error(`${PROGRAM} does not run: build it with \`cargo build\`, or say where it is in HIGHSTREET`);
      }
      const answer = await fetch(probe).catch(() => undefined);
      if (answer?.ok) {
        return;
      }
    }
    throw new Error("the street is not ready within half a minute");
  }
}

/** A token made by `highstreet token` with the key in `folder`. */
export async function token(folder: string, ...words: string[]): Promise<string> {
  const key = join(folder, "key.pem");
  const { stdout } = await promisify(execFile)(PROGRAM, ["token", "--key", key, ...words]);
  return stdout.trim();
}

async function freeAddress(): Promise<string> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, "close");
  return `127.0.0.1:${port}`;
}
