import { render } from "preact";
import { App } from "./app.js";
import { Connection } from "./model/connection.js";
import { followLinks } from "./model/links.js";
import { Router } from "./model/router.js";
import { Session } from "./model/session.js";
import { speaker } from "./parts/context.js";
import "./styles/style.css";

const connection = new Connection();
const session = new Session(connection);
const router = new Router(window);
const page = { session, connection, router, ...speaker() };

followLinks(document, router);
let wasLost = false;
connection.isLost.subscribe(() => {
  if (wasLost && !connection.isLost.value) page.announce("Connected again.");
  wasLost = connection.isLost.value;
});
const root = document.getElementById("root");
if (root) render(<App page={page} />, root);
void session.start(new AbortController().signal);
