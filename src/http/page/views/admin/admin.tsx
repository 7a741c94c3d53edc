import type { ComponentType } from "preact";
import { adminPages, adminPath, type AdminPage } from "../../model/router.js";
import { useSignedIn } from "../../parts/context.js";
import { NavLink } from "../../parts/shell.js";
import { View } from "../../parts/view.js";
import { AllSandboxes } from "./all-sandboxes.js";
import { Events } from "./events.js";
import { HostPage } from "./host.js";
import { Images } from "./images.js";
import { Users } from "./users.js";

const pages: Record<AdminPage, { title: string; content: ComponentType }> = {
  sandboxes: { title: "All sandboxes", content: AllSandboxes },
  users: { title: "Users and groups", content: Users },
  host: { title: "Host", content: HostPage },
  events: { title: "Last events", content: Events },
  images: { title: "Images and profiles", content: Images },
};

/** What admins see beside their own sandboxes. */
export function Admin({ page }: { page: AdminPage }) {
  const { me } = useSignedIn();
  if (me.role !== "admin") {
    return (
      <View title="For admins only">
        <p>
          Your account may not see this. <a href="/">Go to my sandboxes</a>
        </p>
      </View>
    );
  }
  const { title, content: Content } = pages[page];
  return (
    <div class="admin">
      <nav class="subnav" aria-label="Admin">
        {adminPages.map((name) => (
          <NavLink key={name} href={adminPath(name)} isHere={(path) => path === adminPath(name)}>
            {pages[name].title}
          </NavLink>
        ))}
      </nav>
      <View title={title}>
        <Content />
      </View>
    </div>
  );
}

/** Of what an older Berth does not tell. */
export const NotTold = ({ what }: { what: string }) => (
  <p class="empty">This version of Berth does not tell {what}.</p>
);
