import type { Finding } from "../cli/local.js";
import { buildImages } from "../assemble.js";
import type { Config } from "../config.js";
import { messageOf } from "../lib/errors.js";
import type { Log } from "../lib/log.js";
import { failure, inOrder } from "./findings.js";

export async function lookAtImage(config: Config, log: Log): Promise<Finding> {
  const check = "dind image";
  try {
    return inOrder(check, await buildImages(config, log).require());
  } catch (error) {
    return failure(check, {
      what: messageOf(error),
      why: "sandboxes are containers of this image; none can be made without it",
      fix: "berth image build",
    });
  }
}
