// The code page: tells the browser's time zone, and sends the form by itself once six digits are there.
const form = document.getElementById("code-form");
const code = document.getElementById("code");
document.getElementById("zone").value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";

let sent = false;
function sendWhenWhole() {
  if (!sent && code.value.replace(/\D/g, "").length === 6) {
    sent = true;
    form.requestSubmit();
  }
}
code.addEventListener("input", sendWhenWhole);
// Who types or pastes before this has loaded is not to be left waiting. A code that was refused is not sent again.
if (!code.hasAttribute("aria-invalid")) sendWhenWhole();
