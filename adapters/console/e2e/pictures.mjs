// Pictures of every page: `node pictures.mjs FOLDER`.
import { mkdirSync } from "node:fs";
import { DESK, PHONE, open, visitor } from "./street.mjs";
import { MINA, play } from "./story.mjs";

const folder = process.argv[2] ?? "/tmp/highstreet-pictures";
mkdirSync(folder, { recursive: true });
const street = await open();
try {
  await play(street);
  const pages = [
    [null, "welcome", "/"],
    ["customer", "my", "/my"],
    ["customer", "cafe", "/cafe"],
    ["customer", "cinema", "/cinema"],
    ["customer", "seats", "/cinema/soul-1930?seats=4C&seats=4D"],
    ["customer", "library", "/library"],
    ["staff", "counter", "/counter"],
    ["owner", "board", "/board"],
    ["operator", "operations", "/operations"],
    ["owner", "account", "/account"],
  ];
  const looks = [["desk", DESK, false, "ko"], ["phone", PHONE, false, "ko"], ["dark", DESK, true, "en"], ["phone-dark", PHONE, true, "en"]];
  for (const [look, viewport, dark, lang] of looks) {
    for (const [role, name, path] of pages) {
      if (process.argv[3] && !process.argv[3].split(",").includes(name)) continue;
      const page = await visitor(street, role, role === "customer" ? MINA : "점주", { lang, dark, viewport });
      await page.goto(path);
      if (name === "my") await page.evaluate(() => ([...document.querySelectorAll("#orders details")].at(-1).open = true));
      await page.waitForTimeout(400);
      await page.screenshot({ path: `${folder}/${name}-${look}.png`, fullPage: true });
      if (page.complaints.length) console.log(name, look, page.complaints);
      await page.context().close();
    }
  }
} finally {
  await street.close();
}
