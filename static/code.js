// The code page: tells the browser's time zone, takes a code with spaces, sends the form by itself once six digits are there,
// and counts down to the next mail.
const form = document.getElementById("code-form");
const code = document.getElementById("code");
const again = document.getElementById("again");
document.getElementById("zone").value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";

// A reload asks for the page again, not for the code to be tried again.
if (location.pathname !== "/logins/new") history.replaceState(null, "", "/logins/new");

let sent = false;
function sendWhenWhole() {
  const digits = code.value.replace(/\D/g, "");
  if (!sent && digits.length === 6) {
    sent = true;
    code.value = digits;
    form.requestSubmit();
  }
}
form.addEventListener("submit", () => {
  const press = document.getElementById("sign-in");
  press.setAttribute("aria-busy", "true");
  press.querySelector("span").textContent = "Signing in …";
});
code.addEventListener("input", sendWhenWhole);
// Who types or pastes before this has loaded is not to be left waiting. A code that was refused is not sent again.
if (!code.hasAttribute("aria-invalid")) sendWhenWhole();

function count() {
  const place = again.querySelector("[data-again]");
  const left = Math.ceil((Date.parse(place.dataset.again) - Date.now()) / 1000);
  again.hidden = !(left > 0);
  if (left > 0) {
    place.textContent = `0:${String(left).padStart(2, "0")}`;
    setTimeout(count, 250);
  }
}
if (again) count();
