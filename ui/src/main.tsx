// The page's beginning.

import { render } from "preact";
import { resume } from "./connection/gateway";
import "./state/agents";
import "./state/approvals";
import "./state/conversation";
import "./state/theme";
import { Shell } from "./views/shell";

const root = document.getElementById("page");
if (root) render(<Shell />, root);
resume();
