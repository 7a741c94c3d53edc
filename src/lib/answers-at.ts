import { connect } from "node:net";

/** Whether something listens at a unix socket. */
export function answersAt(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socketPath)
      .once("connect", () => {
        probe.destroy();
        resolve(true);
      })
      .once("error", () => {
        resolve(false);
      });
  });
}
