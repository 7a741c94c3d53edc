import { apiRequest } from "../../../lib/api/request.js";
import type { Api } from "./api.js";
import type { AddedUser, Group, Host, HostEvent, Images, User } from "./admin-types.js";
import type { Profile, Role } from "./types.js";

const one = "/v1/users/{name}";

/** What the API has for admins. */
export class AdminApi {
  constructor(private readonly api: Api) {}

  async users(signal?: AbortSignal): Promise<User[]> {
    return (await this.api.json(apiRequest("get", "/v1/users"), { signal })).users;
  }

  addUser(body: { name: string; role: Role; groups?: string[] }): Promise<AddedUser> {
    return this.api.json(apiRequest("post", "/v1/users", { body }));
  }

  changeUser(name: string, body: { role?: Role; groups?: string[] }): Promise<User> {
    return this.api.json(apiRequest("patch", one, { path: { name }, body }));
  }

  async removeUser(name: string): Promise<void> {
    await this.api.ask(apiRequest("delete", one, { path: { name } }), { timeoutMs: 120_000 });
  }

  async groups(signal?: AbortSignal): Promise<Group[]> {
    return (await this.api.json(apiRequest("get", "/v1/groups"), { signal })).groups;
  }

  host(signal?: AbortSignal): Promise<Host> {
    return this.api.json(apiRequest("get", "/v1/host"), { signal });
  }

  async events(limit: number, signal?: AbortSignal): Promise<HostEvent[]> {
    const asked = apiRequest("get", "/v1/events", { query: { limit: String(limit) } });
    return (await this.api.json(asked, { signal })).events;
  }

  eventStream(signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    return this.api.stream(apiRequest("get", "/v1/events/stream"), signal);
  }

  images(signal?: AbortSignal): Promise<Images> {
    return this.api.json(apiRequest("get", "/v1/images"), { signal });
  }

  async profiles(signal?: AbortSignal): Promise<Profile[]> {
    return (await this.api.json(apiRequest("get", "/v1/profiles"), { signal })).profiles;
  }
}
