/** Whether this browser runs on the machine of the labs: their own ports are open on its loopback only. */
export const onLabsMachine = ["127.0.0.1", "localhost", "[::1]"].includes(globalThis.location?.hostname);
