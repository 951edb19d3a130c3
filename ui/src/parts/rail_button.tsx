// The button that shows the rail where there is no room for both, and whether it is shown.

import { signal } from "@preact/signals";
import { Icon } from "./icon";

export const railOpen = signal(false);

export function RailButton() {
  return (
    <button
      type="button"
      class="sign rail-button"
      aria-label="Sessions and views"
      aria-expanded={railOpen.value}
      onClick={() => (railOpen.value = !railOpen.value)}
    >
      <Icon of="menu" />
    </button>
  );
}
