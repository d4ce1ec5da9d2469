/** Every signature that was made in a simulation, by its use, itself and its signer; with what it was made over. */
export const signatures = new Map<string, Buffer>();
