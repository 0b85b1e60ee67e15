// Says that a passkey was not used (allauth's script reports it as an event).
document.addEventListener("allauth.error", () => {
  const said = document.getElementById("passkey-error");
  if (said) said.hidden = false;
});
